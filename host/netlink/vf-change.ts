// Changes of a VF's PF-side settings as netlink requests: one attribute each, because the kernel does not roll back.

import { concatBytes, type Attribute } from "./codec.ts";
import { encodeLinkBody, IFLA, RTM_NEWLINK } from "./link.ts";
import type { NetlinkRequest } from "./message.ts";
import type { VfChange } from "./netlink.ts";
import { encodeMac, encodeU32s } from "./values.ts";
import { IFLA_VF, IFLA_VF_INFO, IFLA_VF_VLAN_INFO, linkStates, vlanEtherTypes } from "./vf.ts";

/** struct ifla_vf_mac has room for 32 bytes (MAX_ADDR_LEN); Ethernet uses six. */
const macRoomBytes = 32;

/** The request that makes one change of VF `vf`; throws NetlinkError EINVAL for a MAC that is none. */
export function setVfRequest(pfIndex: number, vf: number, change: VfChange): NetlinkRequest {
  const info: Attribute = { type: IFLA_VF_INFO, value: [encodeChange(vf, change)] };
  return {
    type: RTM_NEWLINK,
    flags: 0,
    body: encodeLinkBody(pfIndex, [{ type: IFLA.VFINFO_LIST, value: [info] }]),
  };
}

/** What a change does, for messages: "set vf 3 of link 5: vlan 100 qos 0 proto 802.1q". */
export function describeVfChange(pfIndex: number, vf: number, change: VfChange): string {
  return `set vf ${vf} of link ${pfIndex}: ${describeSetting(change)}`;
}

function encodeChange(vf: number, change: VfChange): Attribute {
  switch (change.set) {
    case "mac":
      return { type: IFLA_VF.MAC, value: encodeVfMac(vf, change.mac) };
    case "vlan":
      return encodeVlan(vf, change);
    case "rate":
      return { type: IFLA_VF.RATE, value: encodeU32s(vf, change.minTxRateMbps, change.maxTxRateMbps) };
    case "spoofchk":
      return { type: IFLA_VF.SPOOFCHK, value: encodeU32s(vf, Number(change.value)) };
    case "trust":
      return { type: IFLA_VF.TRUST, value: encodeU32s(vf, Number(change.value)) };
    case "linkState":
      return { type: IFLA_VF.LINK_STATE, value: encodeU32s(vf, linkStates.indexOf(change.value)) };
  }
}

/** The single attribute means 802.1Q; another protocol needs the list, with the protocol in network order. */
function encodeVlan(
  vf: number,
  { vlan, qos, vlanProto }: Extract<VfChange, { readonly set: "vlan" }>,
): Attribute {
  const settings = encodeU32s(vf, vlan, qos);
  if (vlanProto === "802.1q") return { type: IFLA_VF.VLAN, value: settings };
  const etherType = vlanEtherTypes[vlanProto];
  const entry = concatBytes([settings, Uint8Array.of(etherType >> 8, etherType & 0xff, 0, 0)]);
  return { type: IFLA_VF.VLAN_LIST, value: [{ type: IFLA_VF_VLAN_INFO, value: entry }] };
}

function encodeVfMac(vf: number, mac: string): Uint8Array {
  const bytes = new Uint8Array(4 + macRoomBytes);
  bytes.set(encodeU32s(vf));
  bytes.set(encodeMac(mac), 4);
  return bytes;
}

function describeSetting(change: VfChange): string {
  switch (change.set) {
    case "mac":
      return `mac ${change.mac}`;
    case "vlan":
      return `vlan ${change.vlan} qos ${change.qos} proto ${change.vlanProto}`;
    case "rate":
      return `min_tx_rate ${change.minTxRateMbps} max_tx_rate ${change.maxTxRateMbps} Mbit/s`;
    case "spoofchk":
    case "trust":
      return `${change.set} ${change.value ? "on" : "off"}`;
    case "linkState":
      return `state ${change.value}`;
  }
}
