// One VF of a pod, as it is, compared with what its record and the results of the plugins say.

import type { InterfaceAddress, Link, Route, VfInfo } from "../host/netlink/netlink.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { formatCidr, parseCidr } from "../sriov/cidr.ts";
import { compareRoutes } from "./check-routes.ts";
import type { CniInterface } from "./result.ts";

/** The VF in the pod's namespace. `side` is what its PF reports, where that can be asked; `routes` are the whole namespace's. */
export interface LiveVf {
  readonly link: Link;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}

/** What the runtime's copy of the results says of the VF: plugins after us may have changed MAC, MTU and addresses. */
export interface VfResult {
  readonly nic: Pick<CniInterface, "mac" | "mtu"> | undefined;
  readonly addresses: readonly string[];
  readonly routes: readonly { readonly dst: string; readonly gw?: string | undefined }[];
}

/** Every difference inside the pod, as "mtu: expected 9000, got 1500"; none when all is as it should be. */
export function compareNetdev(record: Attachment, result: VfResult, live: LiveVf): readonly string[] {
  const { applied, original } = record;
  const { link } = live;
  const mac = result.nic?.mac?.toLowerCase() ?? applied.mac ?? original.mac;
  const mtu = result.nic?.mtu ?? applied.mtu ?? original.mtu;
  return [
    ...compare("name", record.interface, link.name),
    ...compare("mac", mac, link.mac),
    ...compare("mtu", mtu, link.mtu),
    ...compareAddresses([...applied.addresses, ...result.addresses], live),
    ...compareRoutes({ own: applied.routes, others: result.routes }, live),
  ];
}

/** Every difference at the PF. What ADD did not set is as the host had it; what the driver does not report is passed over. */
export function compareSide({ applied, original }: Attachment, info: VfInfo): readonly string[] {
  const isVlanSet = applied.vlan !== undefined;
  const vlan = isVlanSet
    ? formatVlan(applied.vlan, applied.qos, applied.vlanProto)
    : original.vlan === undefined
      ? undefined
      : formatVlan(original.vlan, original.qos, original.vlanProto);
  const settings = { ...original, ...withoutAbsent(applied) };
  return [
    ...compare("admin mac", applied.adminMac, info.mac),
    ...compare("vlan", vlan, formatVlan(info.vlan, info.qos, info.vlanProto)),
    ...compareReported("spoofchk", onOff(settings.spoofchk), onOff(info.spoofchk)),
    ...compareReported("trust", onOff(settings.trust), onOff(info.trust)),
    ...compareReported("link_state", settings.linkState, info.linkState),
    ...compareReported("min_tx_rate", settings.minTxRateMbps, info.minTxRateMbps),
    ...compareReported("max_tx_rate", settings.maxTxRateMbps, info.maxTxRateMbps),
  ];
}

function compareAddresses(wanted: readonly string[], { link, addresses }: LiveVf): readonly string[] {
  const own = addresses.filter(({ index }) => index === link.index).map((address) => formatCidr(address));
  const missing = [...new Set(wanted.map(toCanonical))].filter((address) => !own.includes(address));
  return missing.map((address) => `address: expected ${address}, got ${own.join(", ") || "none"}`);
}

function compare<Value>(what: string, expected: Value | undefined, got: Value): readonly string[] {
  return expected === undefined || expected === got
    ? []
    : [`${what}: expected ${String(expected)}, got ${String(got)}`];
}

function compareReported<Value>(
  what: string,
  expected: Value | undefined,
  got: Value | undefined,
): readonly string[] {
  return got === undefined ? [] : compare(what, expected, got);
}

function formatVlan(vlan: number | undefined, qos = 0, proto = "802.1q"): string {
  return vlan === undefined || vlan === 0 ? "0" : `${vlan} qos ${qos} ${proto}`;
}

function onOff(value: boolean | undefined): "on" | "off" | undefined {
  if (value === undefined) return undefined;
  return value ? "on" : "off";
}

function toCanonical(address: string): string {
  const cidr = parseCidr(address);
  return cidr === undefined ? address : formatCidr(cidr);
}

function withoutAbsent<Settings extends object>(settings: Settings): Partial<Settings> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as Partial<Settings>;
}
