// Links as the kernel reports them: the requests that ask, and RTM_NEWLINK as a `Link`.

import {
  concatBytes,
  decodeAttributes,
  encodeAttributes,
  indexAttributes,
  viewOf,
  type Attribute,
} from "./codec.ts";
import { decodeTraits } from "./link-traits.ts";
import type { NetlinkRequest } from "./message.ts";
import type { Link, LinkRef, LinkXdp } from "./netlink.ts";
import { decodeMac, decodeString, decodeU32, encodeString, encodeU32 } from "./values.ts";

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

export const IFF_UP = 0x1;
export const IFF_PROMISC = 0x100;
export const IFF_ALLMULTI = 0x200;

/** Attributes of a link. Source: include/uapi/linux/if_link.h. */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  TXQLEN: 13,
  LINKINFO: 18,
  IFALIAS: 20,
  NUM_VF: 21,
  VFINFO_LIST: 22,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  CARRIER: 33,
  LINK_NETNSID: 37,
  XDP: 43,
  MAX_MTU: 51,
  PROP_LIST: 52,
  ALT_IFNAME: 53,
  PERM_ADDRESS: 54,
  PARENT_DEV_NAME: 56,
} as const;

export const RTEXT_FILTER_VF = 1;
export const RTEXT_FILTER_SKIP_STATS = 8;

/** Attributes inside IFLA.XDP; `modes` has those that tell the program's id, and the flag that names the mode in requests. */
export const XDP = {
  FD: 1,
  FLAGS: 3,
  modes: { drv: { id: 5, flag: 4 }, skb: { id: 6, flag: 2 }, hw: { id: 7, flag: 8 } },
} as const;

const IFLA_INFO_KIND = 1;
const IFNAMSIZ = 16;
/** struct ifinfomsg, which the attributes of a link follow. */
export const ifinfomsgBytes = 16;

/** struct ifinfomsg and attributes, as all requests about one link have them; of the flags only those in `change` are touched. */
export function encodeLinkBody(
  index: number,
  attributes: readonly Attribute[] = [],
  flags: { readonly value: number; readonly change: number } = { value: 0, change: 0 },
): Uint8Array {
  const header = new Uint8Array(ifinfomsgBytes);
  const view = viewOf(header);
  view.setInt32(4, index, true);
  view.setUint32(8, flags.value, true);
  view.setUint32(12, flags.change, true);
  return concatBytes([header, encodeAttributes(attributes)]);
}

/** Asks for one link. A name longer than an interface name can only be an altname. */
export function getLinkRequest(ref: LinkRef, filter = RTEXT_FILTER_SKIP_STATS): NetlinkRequest {
  const attributes: Attribute[] = [{ type: IFLA.EXT_MASK, value: encodeU32(filter) }];
  if ("name" in ref) {
    const value = encodeString(ref.name);
    attributes.push({ type: value.length <= IFNAMSIZ ? IFLA.IFNAME : IFLA.ALT_IFNAME, value });
  }
  return { type: RTM_GETLINK, flags: 0, body: encodeLinkBody("index" in ref ? ref.index : 0, attributes) };
}

/** Asks for all links, without statistics. */
export function listLinksRequest(): NetlinkRequest {
  return getLinkRequest({ index: 0 });
}

/** The link in the body of RTM_NEWLINK or RTM_DELLINK; `undefined` when it has no name (not about a link as a whole). */
export function decodeLink(body: Uint8Array): Link | undefined {
  const view = viewOf(body);
  const attributes = indexAttributes(body.subarray(ifinfomsgBytes));
  const name = attributes.get(IFLA.IFNAME);
  if (name === undefined) return undefined;
  const flags = view.getUint32(8, true);
  const text = (type: number): string | undefined => map(attributes.get(type), decodeString);
  const number = (type: number): number | undefined => map(attributes.get(type), decodeU32);
  return {
    index: view.getInt32(4, true),
    name: decodeString(name),
    altNames: map(attributes.get(IFLA.PROP_LIST), decodeAltNames) ?? [],
    mac: map(attributes.get(IFLA.ADDRESS), decodeMac) ?? "",
    permanentMac: map(attributes.get(IFLA.PERM_ADDRESS), decodeMac),
    mtu: number(IFLA.MTU) ?? 0,
    maxMtu: number(IFLA.MAX_MTU) || undefined,
    isUp: (flags & IFF_UP) !== 0,
    hasCarrier: attributes.get(IFLA.CARRIER)?.[0] === 1,
    isPromiscuous: (flags & IFF_PROMISC) !== 0,
    isAllMulticast: (flags & IFF_ALLMULTI) !== 0,
    txQueueLength: number(IFLA.TXQLEN) ?? 0,
    xdp: map(attributes.get(IFLA.XDP), decodeXdp) ?? [],
    kind: map(attributes.get(IFLA.LINKINFO), decodeKind),
    master: number(IFLA.MASTER),
    lower: attributes.has(IFLA.LINK_NETNSID) ? undefined : number(IFLA.LINK) || undefined,
    parentDevice: text(IFLA.PARENT_DEV_NAME),
    alias: text(IFLA.IFALIAS),
    traits: decodeTraits(attributes, flags),
  };
}

function decodeAltNames(list: Uint8Array): readonly string[] {
  return decodeAttributes(list)
    .filter(({ type }) => type === IFLA.ALT_IFNAME)
    .map(({ value }) => decodeString(value));
}

function decodeXdp(xdp: Uint8Array): readonly LinkXdp[] {
  const attributes = indexAttributes(xdp);
  return (["drv", "skb", "hw"] as const).flatMap((mode) => {
    const program = attributes.get(XDP.modes[mode].id);
    return program === undefined ? [] : [{ mode, program: decodeU32(program) }];
  });
}

function decodeKind(linkInfo: Uint8Array): string | undefined {
  return map(indexAttributes(linkInfo).get(IFLA_INFO_KIND), decodeString);
}

function map<T>(value: Uint8Array | undefined, decode: (value: Uint8Array) => T): T | undefined {
  return value === undefined ? undefined : decode(value);
}
