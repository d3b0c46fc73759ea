// Link and address events of one namespace.

import type { Libc } from "../libc.ts";
import { decodeLink, RTM_DELLINK, RTM_NEWLINK } from "./link.ts";
import { decodeMessages, type NetlinkMessage } from "./message.ts";
import { receiveMulticast } from "./multicast.ts";
import type { NetlinkEvent } from "./netlink.ts";
import { openRouteSocket } from "./socket.ts";

const RTMGRP_LINK = 0x1;
const RTMGRP_IPV4_IFADDR = 0x10;
const RTMGRP_IPV6_IFADDR = 0x100;
const AF_UNSPEC = 0;

/** A socket for events of the calling thread's network namespace. */
export function openEventSocket(libc: Libc): number {
  return openRouteSocket(libc, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

/** Calls `onEvent` for each event on sockets made by `open`, until disposed. */
export function readEvents(open: () => number, onEvent: (event: NetlinkEvent) => void): Disposable {
  return receiveMulticast({ open, decode: decodeEvents, overrun: { event: "overrun" } }, onEvent);
}

/** The events in what one read gave: several datagrams, of which the last may be cut. */
export function decodeEvents(bytes: Uint8Array): readonly NetlinkEvent[] {
  try {
    return decodeMessages(bytes).flatMap(decodeEvent);
  } catch {
    return [{ event: "overrun" }];
  }
}

function decodeEvent({ type, body }: NetlinkMessage): readonly NetlinkEvent[] {
  if (type !== RTM_NEWLINK && type !== RTM_DELLINK) return [{ event: "address" }];
  // A bridge tells of its ports in messages of its own family: they are not about the link.
  const link = body[0] === AF_UNSPEC ? decodeLink(body) : undefined;
  if (link === undefined) return [];
  return type === RTM_NEWLINK
    ? [{ event: "link", link }]
    : [{ event: "linkGone", index: link.index, name: link.name }];
}
