// The configuration of one network, resolved: a readonly value without defaults left open, and what its keys contradict each other in.

import type * as v from "valibot";

import type { VlanProto } from "../host/netlink/netlink.ts";
import { parseCidr, parseIp, type Cidr } from "./cidr.ts";
import { describeValue, type ConfigProblem } from "./config-problems.ts";
import { parseUnicastMac } from "./mac-address.ts";
import type { networkEntries, NetworkPolicy } from "./network-entries.ts";

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
  /** Whether the neighbours are told of the addresses after ADD (gratuitous ARP, unsolicited NA). */
  readonly announce: boolean;
  /** ADD fails when there is no carrier after this time. */
  readonly requireCarrierMs: number | undefined;
  /** Channels of the VF, and ring sizes in descriptors, set before the move. */
  readonly queues: number | undefined;
  readonly rings: Rings | undefined;
  /** Interrupt policy that tuning is asked for. */
  readonly tuning: NetworkPolicy | undefined;
  /** Whether tuning is asked for receive flow steering, and for NAPI in kernel threads; undefined: as the node has it. */
  readonly rfs: boolean | undefined;
  readonly threadedNapi: boolean | undefined;
  /** And for as many channels as CPUs, instead of `queues`. */
  readonly channelPerCpu: boolean | undefined;
  /** Function level reset of the VF in DEL. */
  readonly resetBetweenPods: boolean;
  /** The driver that ADD binds the VF to. */
  readonly driver: "vfio-pci" | undefined;
}

export interface Rings {
  readonly rx: number | undefined;
  readonly tx: number | undefined;
}

/** `priority` is the metric; numbers of `scope` and `table` as the kernel has them. */
export interface StaticRoute {
  readonly dst: Cidr;
  readonly gw: string | undefined;
  readonly mtu: number | undefined;
  readonly advmss: number | undefined;
  readonly priority: number | undefined;
  readonly table: number | undefined;
  readonly scope: number | undefined;
}

type NetworkInput = {
  readonly [Key in keyof typeof networkEntries]: v.InferOutput<(typeof networkEntries)[Key]> | undefined;
};

/** The network that the checked keys ask for, and what they contradict each other in, but for addresses. `path` is "" or ends with ".". */
export function resolveNetwork(
  input: NetworkInput,
  path: string,
): { readonly network: Network; readonly problems: readonly ConfigProblem[] } {
  const network: Network = {
    mac: input.mac === undefined ? undefined : parseUnicastMac(input.mac),
    mtu: input.mtu,
    vlan: input.vlan,
    vlanQoS: input.vlanQoS,
    vlanProto: input.vlanProto,
    spoofchk: isOn(input.spoofchk),
    trust: isOn(input.trust),
    linkState: input.link_state,
    minTxRateMbps: input.min_tx_rate,
    maxTxRateMbps: input.max_tx_rate,
    ips: (input.ips ?? []).map(toCidr),
    gateway: input.gateway === undefined ? undefined : parseIp(input.gateway)?.address,
    routes: (input.routes ?? []).map(toRoute),
    ipam: toIpam(input.ipam),
    announce: input.announce ?? true,
    requireCarrierMs: input.requireCarrierMs,
    queues: input.queues,
    rings: input.rings === undefined ? undefined : { rx: input.rings.rx, tx: input.rings.tx },
    tuning: input.tuning,
    rfs: input.rfs,
    threadedNapi: input.threadedNapi,
    channelPerCpu: input.channelPerCpu,
    resetBetweenPods: input.resetBetweenPods ?? false,
    driver: input.driver,
  };
  return { network, problems: [...findContradictions(network, path), ...checkRoutes(input, path)] };
}

function findContradictions(network: Network, path: string): readonly ConfigProblem[] {
  const { vlan, vlanQoS, vlanProto, minTxRateMbps: min, maxTxRateMbps: max } = network;
  const problems: ConfigProblem[] = [];
  if (network.queues !== undefined && network.channelPerCpu === true)
    problems.push(`${path}channelPerCpu: expected nothing beside queues`);
  const needsVlan = "nothing without a vlan other than 0";
  if (vlanQoS !== undefined && vlanQoS !== 0 && (vlan ?? 0) === 0)
    problems.push(describeValue(`${path}vlanQoS`, needsVlan, vlanQoS));
  if (vlanProto === "802.1ad" && (vlan ?? 0) === 0)
    problems.push(describeValue(`${path}vlanProto`, needsVlan, vlanProto));
  if (min !== undefined && max !== undefined && max !== 0 && max < min)
    problems.push(
      describeValue(`${path}max_tx_rate`, `an integer of at least min_tx_rate (${min} Mbit/s)`, max),
    );
  return problems;
}

/** What a network says of gateways and routes without having an address that they could be of. `path` as of `resolveNetwork`. */
export function findMissingAddresses(
  { gateway, routes, ips, ipam }: Pick<Network, "gateway" | "routes" | "ips" | "ipam">,
  path: string,
): readonly ConfigProblem[] {
  if (ips.length > 0) return [];
  const needed =
    ipam === undefined ? "ips beside it" : "ips beside it, or none: an IPAM plugin tells its own";
  return [
    ...(gateway === undefined ? [] : [`${path}gateway: expected ${needed}`]),
    ...(routes.length === 0 || ipam !== undefined ? [] : [`${path}routes: expected ips or ipam beside it`]),
  ];
}

function checkRoutes({ routes = [] }: NetworkInput, path: string): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [at, route] of routes.entries()) {
    const prefix = `${path}routes.${at}.`;
    const gateway = route.gw === undefined ? undefined : parseIp(route.gw);
    if (route.metric !== undefined && route.priority !== undefined)
      problems.push(`${prefix}metric: the same as priority, expected one of them`);
    if (gateway !== undefined && gateway.family !== toCidr(route.dst).family)
      problems.push(describeValue(`${prefix}gw`, "an address of the same family as dst", route.gw));
    if (route.gw !== undefined && (route.scope ?? 0) >= scopeLink)
      problems.push(describeValue(`${prefix}gw`, `nothing beside scope ${route.scope}`, route.gw));
  }
  return problems;
}

/** From here on a scope says that there is no next hop: 253 link, 254 host, 255 nowhere (rt_scope_t). */
export const scopeLink = 253;

function toRoute({ dst, gw, mtu, advmss, metric, ...rest }: RouteInput): StaticRoute {
  const { priority = metric, table, scope } = rest;
  const gateway = gw === undefined ? undefined : parseIp(gw)?.address;
  return { dst: toCidr(dst), gw: gateway, mtu, advmss, priority, table, scope };
}

type RouteInput = NonNullable<NetworkInput["routes"]>[number];

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
