// Changes of a link as netlink requests, one attribute each, addressed by ifindex.

import type { Attribute } from "./codec.ts";
import {
  encodeLinkBody,
  IFF_ALLMULTI,
  IFF_PROMISC,
  IFF_UP,
  IFLA,
  RTM_DELLINK,
  RTM_NEWLINK,
  XDP,
} from "./link.ts";
import { encodeTrait } from "./link-traits.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type NetlinkRequest } from "./message.ts";
import type { LinkChange, XdpMode } from "./netlink.ts";
import { encodeMac, encodeString, encodeU32 } from "./values.ts";

const RTM_NEWLINKPROP = 108;
const RTM_DELLINKPROP = 109;
const NLM_F_APPEND = 0x800;
const NLA_F_NESTED = 0x8000;

/** The request that makes one change; throws NetlinkError EINVAL for a MAC that is none. */
export function setLinkRequest(index: number, change: LinkChange): NetlinkRequest {
  switch (change.set) {
    case "up":
      return setFlag(index, IFF_UP, change.value);
    case "promiscuous":
      return setFlag(index, IFF_PROMISC, change.value);
    case "allMulticast":
      return setFlag(index, IFF_ALLMULTI, change.value);
    case "name":
      return setAttribute(index, { type: IFLA.IFNAME, value: encodeString(change.value) });
    case "mac":
      return setAttribute(index, { type: IFLA.ADDRESS, value: encodeMac(change.value) });
    case "mtu":
      return setAttribute(index, { type: IFLA.MTU, value: encodeU32(change.value) });
    case "alias":
      return setAttribute(index, { type: IFLA.IFALIAS, value: encodeString(change.value) });
    case "txQueueLength":
      return setAttribute(index, { type: IFLA.TXQLEN, value: encodeU32(change.value) });
    case "withoutXdp":
      return setAttribute(index, { type: IFLA.XDP | NLA_F_NESTED, value: detachXdp(change.value) });
    case "trait": {
      const setting = encodeTrait(change);
      if ("flag" in setting) return setFlag(index, setting.flag, setting.isSet);
      return setAttribute(index, setting.attribute);
    }
  }
}

/** Moves the link into the namespace behind the descriptor `netnsFd`; the kernel gives it `name` there, after the move. */
export function moveLinkRequest(index: number, netnsFd: number, name?: string): NetlinkRequest {
  const move = { type: IFLA.NET_NS_FD, value: encodeU32(netnsFd) };
  const rename = name === undefined ? [] : [{ type: IFLA.IFNAME, value: encodeString(name) }];
  return { type: RTM_NEWLINK, flags: 0, body: encodeLinkBody(index, [move, ...rename]) };
}

/** Adds one name; EEXIST when any link of the namespace has it. */
export function addAltNameRequest(index: number, altName: string): NetlinkRequest {
  return altNameRequest(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, index, altName);
}

/** Removes one name; ENOENT when no link has it, EINVAL when another one has. */
export function removeAltNameRequest(index: number, altName: string): NetlinkRequest {
  return altNameRequest(RTM_DELLINKPROP, 0, index, altName);
}

/** Removes a virtual link; EOPNOTSUPP for hardware. */
export function deleteLinkRequest(index: number): NetlinkRequest {
  return { type: RTM_DELLINK, flags: 0, body: encodeLinkBody(index) };
}

/** What a change does, for messages: "set link 5 mtu 9000". */
export function describeLinkChange(index: number, change: LinkChange): string {
  return `set link ${index} ${change.set === "trait" ? change.trait : change.set} ${change.value}`;
}

// No program is descriptor -1. Source: Linux net/core/dev.c, dev_change_xdp_fd.
function detachXdp(mode: XdpMode): readonly Attribute[] {
  return [
    { type: XDP.FD, value: encodeU32(0xffff_ffff) },
    { type: XDP.FLAGS, value: encodeU32(XDP.modes[mode].flag) },
  ];
}

function setAttribute(index: number, attribute: Attribute): NetlinkRequest {
  return { type: RTM_NEWLINK, flags: 0, body: encodeLinkBody(index, [attribute]) };
}

function setFlag(index: number, flag: number, isSet: boolean): NetlinkRequest {
  const flags = { value: isSet ? flag : 0, change: flag };
  return { type: RTM_NEWLINK, flags: 0, body: encodeLinkBody(index, [], flags) };
}

function altNameRequest(type: number, flags: number, index: number, altName: string): NetlinkRequest {
  const names: Attribute = { type: IFLA.ALT_IFNAME, value: encodeString(altName) };
  return {
    type,
    flags,
    body: encodeLinkBody(index, [{ type: IFLA.PROP_LIST | NLA_F_NESTED, value: [names] }]),
  };
}
