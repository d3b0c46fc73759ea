// The configuration of one network: the keys of sriov-cni with their meaning, and ours. Parsed once into a readonly value.

import * as v from "valibot";

import type { VlanProto } from "../host/netlink/netlink.ts";
import { parseCidr, parseIp, type Cidr } from "./cidr.ts";
import { parseUnicastMac } from "./mac-address.ts";
import { describeValue, type ConfigProblem } from "./config-problems.ts";

/** What a network asks for. Absent settings are left as they are. Rates in Mbit/s. */
export interface Network {
  readonly mac: string | undefined;
  readonly mtu: number | undefined;
  readonly vlan: number | undefined;
  readonly vlanQoS: number | undefined;
  readonly vlanProto: VlanProto | undefined;
  readonly spoofchk: boolean | undefined;
  readonly trust: boolean | undefined;
  readonly linkState: "auto" | "enable" | "disable" | undefined;
  readonly minTxRateMbps: number | undefined;
  readonly maxTxRateMbps: number | undefined;
  /** Addresses, routes and gateway without any IPAM. */
  readonly ips: readonly Cidr[];
  readonly gateway: string | undefined;
  readonly routes: readonly StaticRoute[];
  /** The delegate's type, and its configuration as it was given. */
  readonly ipam: { readonly type: string; readonly config: object } | undefined;
}

export interface StaticRoute {
  readonly dst: Cidr;
  readonly gw: string | undefined;
}

const onOff = v.optional(v.picklist(["on", "off"], '"on" or "off"'));

const cidr = v.custom<string>(isCidr, "an address with its prefix length, like 192.0.2.5/24");
const ip = v.custom<string>(isIp, "an IP address");

/** The schema of each key; its message is what is expected. */
export const networkEntries = {
  mac: v.optional(v.custom<string>(isUnicastMac, "a unicast MAC address like 0a:1b:2c:3d:4e:5f")),
  mtu: v.optional(integer(68, 65535)),
  vlan: v.optional(integer(0, 4094)),
  vlanQoS: v.optional(integer(0, 7)),
  vlanProto: v.optional(v.custom<string>(isVlanProto, '"802.1q" or "802.1ad"')),
  spoofchk: onOff,
  trust: onOff,
  link_state: v.optional(v.picklist(["auto", "enable", "disable"], '"auto", "enable" or "disable"')),
  min_tx_rate: v.optional(integer(0, 4_294_967_295)),
  max_tx_rate: v.optional(integer(0, 4_294_967_295)),
  ips: v.optional(v.array(cidr, "a list of addresses like 192.0.2.5/24")),
  gateway: v.optional(ip),
  routes: v.optional(
    v.array(
      v.strictObject(
        { dst: cidr, gw: v.optional(ip) },
        'an object like {"dst": "198.51.100.0/24", "gw": "192.0.2.1"}',
      ),
      "a list of routes",
    ),
  ),
  ipam: v.optional(
    v.looseObject(
      { type: v.optional(v.pipe(v.string("a plugin's name"), v.regex(/^[^/\0]*$/, "a name without /"))) },
      'an object like {"type": "host-local", ...}',
    ),
  ),
} as const;

type NetworkInput = {
  readonly [Key in keyof typeof networkEntries]: v.InferOutput<(typeof networkEntries)[Key]>;
};

/** The network that the checked keys ask for, and what they contradict each other in. `path` is "" or ends with ".". */
export function resolveNetwork(
  input: NetworkInput,
  path: string,
): { readonly network: Network; readonly problems: readonly ConfigProblem[] } {
  const network: Network = {
    mac: input.mac === undefined ? undefined : parseUnicastMac(input.mac),
    mtu: input.mtu,
    vlan: input.vlan,
    vlanQoS: input.vlanQoS,
    vlanProto: input.vlanProto?.toLowerCase() as VlanProto | undefined,
    spoofchk: isOn(input.spoofchk),
    trust: isOn(input.trust),
    linkState: input.link_state,
    minTxRateMbps: input.min_tx_rate,
    maxTxRateMbps: input.max_tx_rate,
    ips: (input.ips ?? []).map(toCidr),
    gateway: input.gateway === undefined ? undefined : parseIp(input.gateway)?.address,
    routes: (input.routes ?? []).map(({ dst, gw }) => ({
      dst: toCidr(dst),
      gw: gw === undefined ? undefined : parseIp(gw)?.address,
    })),
    ipam: toIpam(input.ipam),
  };
  return { network, problems: findContradictions(network, path) };
}

function findContradictions(network: Network, path: string): readonly ConfigProblem[] {
  const { vlan, vlanQoS, vlanProto, minTxRateMbps: min, maxTxRateMbps: max, ipam, ips } = network;
  const problems: ConfigProblem[] = [];
  const needsVlan = "nothing without a vlan other than 0";
  if (vlanQoS !== undefined && vlanQoS !== 0 && (vlan ?? 0) === 0)
    problems.push(describeValue(`${path}vlanQoS`, needsVlan, vlanQoS));
  if (vlanProto === "802.1ad" && (vlan ?? 0) === 0)
    problems.push(describeValue(`${path}vlanProto`, needsVlan, vlanProto));
  if (min !== undefined && max !== undefined && max !== 0 && max < min)
    problems.push(
      describeValue(`${path}max_tx_rate`, `an integer of at least min_tx_rate (${min} Mbit/s)`, max),
    );
  if (ipam?.type === "." || ipam?.type === "..")
    problems.push(describeValue(`${path}ipam.type`, "a plugin's name", ipam.type));
  if (ipam === undefined && ips.length === 0) {
    if (network.gateway !== undefined) problems.push(`${path}gateway: expected ips or ipam beside it`);
    if (network.routes.length > 0) problems.push(`${path}routes: expected ips or ipam beside it`);
  }
  return problems;
}

function integer(least: number, most: number): v.GenericSchema<number> {
  const isInRange = (value: unknown): boolean =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
  return v.custom<number>(isInRange, `an integer from ${least} to ${most}`);
}

function isCidr(value: unknown): boolean {
  return typeof value === "string" && parseCidr(value) !== undefined;
}

function isIp(value: unknown): boolean {
  return typeof value === "string" && parseIp(value) !== undefined;
}

function isUnicastMac(value: unknown): boolean {
  try {
    return typeof value === "string" && parseUnicastMac(value) !== "";
  } catch {
    return false;
  }
}

function isVlanProto(value: unknown): boolean {
  return typeof value === "string" && ["802.1q", "802.1ad"].includes(value.toLowerCase());
}

function isOn(value: "on" | "off" | undefined): boolean | undefined {
  return value === undefined ? undefined : value === "on";
}

// The schema has let only prefixes through.
function toCidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new TypeError(`${text} passed the schema`);
  return parsed;
}

function toIpam(ipam: { readonly type?: string | undefined } | undefined): Network["ipam"] {
  return ipam?.type === undefined || ipam.type === "" ? undefined : { type: ipam.type, config: ipam };
}
