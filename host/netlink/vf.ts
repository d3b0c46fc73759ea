// PF-side settings of VFs as the kernel reports them in IFLA_VFINFO_LIST.

import { decodeAttributes, findAttribute, indexAttributes, type Attributes } from "./codec.ts";
import { getLinkRequest, IFLA, ifinfomsgBytes, RTEXT_FILTER_SKIP_STATS, RTEXT_FILTER_VF } from "./link.ts";
import type { NetlinkRequest } from "./message.ts";
import type { LinkRef, VfInfo, VfOfPf, VlanProto } from "./netlink.ts";
import { decodeMac, decodeString, decodeU32 } from "./values.ts";

/** Attributes of one VF; each value is a struct that starts with the VF's number. Source: include/uapi/linux/if_link.h. */
export const IFLA_VF = {
  MAC: 1,
  VLAN: 2,
  SPOOFCHK: 4,
  LINK_STATE: 5,
  RATE: 6,
  STATS: 8,
  TRUST: 9,
  VLAN_LIST: 12,
} as const;

export const linkStates = ["auto", "enable", "disable"] as const;

/** Ethernet types of VLAN tags, by the name `VlanProto` has for them. */
export const vlanEtherTypes: Readonly<Record<VlanProto, number>> = { "802.1q": 0x8100, "802.1ad": 0x88a8 };

/** The inner attribute types, one inside each list. */
export const IFLA_VF_INFO = 1;
export const IFLA_VF_VLAN_INFO = 1;

const notReported = 0xffff_ffff;
const macOffset = 4;
const macBytes = 6;

/** Asks for a PF with its VFs and without statistics, which would not fit for some 222 VFs and more. */
export function listVfsRequest(pf: LinkRef): NetlinkRequest {
  return getLinkRequest(pf, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS);
}

/** The VFs in the body of RTM_NEWLINK, in the kernel's order (by number); none when the link has no list. */
export function decodeVfs(body: Uint8Array): readonly VfInfo[] {
  return listVfBytes(body)
    .map((bytes) => decodeVf(indexAttributes(bytes)))
    .filter((vf) => vf !== undefined);
}

/** One of them with its PF; `undefined` when it is not among them. The others, up to 255, are not decoded. */
export function decodeVfOfPf(body: Uint8Array, vf: number): VfOfPf | undefined {
  const name = findAttribute(body.subarray(ifinfomsgBytes), IFLA.IFNAME);
  const bytes = listVfBytes(body).find((one) => numberOf(one) === vf);
  const info = bytes && decodeVf(indexAttributes(bytes));
  if (name === undefined || info === undefined) return undefined;
  return { pfIndex: decodeU32(body, 4), pfName: decodeString(name), info };
}

function listVfBytes(body: Uint8Array): readonly Uint8Array[] {
  const list = findAttribute(body.subarray(ifinfomsgBytes), IFLA.VFINFO_LIST);
  const entries = list === undefined ? [] : decodeAttributes(list);
  return entries.filter(({ type }) => type === IFLA_VF_INFO).map(({ value }) => value);
}

function numberOf(bytes: Uint8Array): number | undefined {
  const mac = findAttribute(bytes, IFLA_VF.MAC);
  return mac && decodeU32(mac);
}

function decodeVf(attributes: Attributes): VfInfo | undefined {
  const mac = attributes.get(IFLA_VF.MAC);
  if (mac === undefined) return undefined;
  // The second u32 of a struct, behind the VF's number; the third where there is one.
  const setting = (type: number, position = 1): number | undefined => {
    const bytes = attributes.get(type);
    const value = bytes === undefined ? notReported : decodeU32(bytes, 4 * position);
    return value === notReported ? undefined : value;
  };
  const linkState = setting(IFLA_VF.LINK_STATE);
  return {
    vf: decodeU32(mac),
    mac: decodeMac(mac.subarray(macOffset, macOffset + macBytes)),
    ...decodeVlan(attributes),
    spoofchk: toFlag(setting(IFLA_VF.SPOOFCHK)),
    trust: toFlag(setting(IFLA_VF.TRUST)),
    linkState: linkState === undefined ? undefined : linkStates[linkState],
    minTxRateMbps: setting(IFLA_VF.RATE, 1),
    maxTxRateMbps: setting(IFLA_VF.RATE, 2),
  };
}

/** The list has the protocol too, which the older single attribute lacks. */
function decodeVlan(attributes: Attributes): Pick<VfInfo, "vlan" | "qos" | "vlanProto"> {
  const list = attributes.get(IFLA_VF.VLAN_LIST);
  const entry = list === undefined ? undefined : indexAttributes(list).get(IFLA_VF_VLAN_INFO);
  const single = attributes.get(IFLA_VF.VLAN);
  const from = entry ?? single;
  if (from === undefined) return { vlan: 0, qos: 0, vlanProto: "802.1q" };
  const etherType = entry === undefined ? 0 : ((entry[12] ?? 0) << 8) | (entry[13] ?? 0);
  return {
    vlan: decodeU32(from, 4),
    qos: decodeU32(from, 8),
    vlanProto: etherType === vlanEtherTypes["802.1ad"] ? "802.1ad" : "802.1q",
  };
}

function toFlag(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 0;
}
