// Routes as the kernel reports them: the request that asks, and RTM_NEWROUTE as `Route`s.

import { indexAttributes, pad, viewOf, type Attributes } from "./codec.ts";
import { addressFamily, decodeIp, familyOf } from "./ip-address.ts";
import type { NetlinkRequest } from "./message.ts";
import type { Route } from "./netlink.ts";
import { decodeScope } from "./scope.ts";
import { decodeU32 } from "./values.ts";

const RTM_GETROUTE = 26;
const RT_TABLE_LOCAL = 255;
const RTM_F_CLONED = 0x200;
export const RTN_UNICAST = 1;
export const RTNH_F_ONLINK = 4;
export const rtmsgBytes = 12;
const rtnexthopBytes = 8;

/** Attributes of a route. Source: include/uapi/linux/rtnetlink.h. */
export const RTA = {
  DST: 1,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  METRICS: 8,
  MULTIPATH: 9,
  TABLE: 15,
  VIA: 18,
} as const;

/** Attributes inside RTA.METRICS. */
export const RTAX = { MTU: 2, ADVMSS: 8 } as const;

/** Asks for the routes of one family, of all tables. */
export function listRoutesRequest(family: 4 | 6): NetlinkRequest {
  const body = new Uint8Array(rtmsgBytes);
  body[0] = addressFamily(family);
  return { type: RTM_GETROUTE, flags: 0, body };
}

/**
 * The unicast routes in the body of RTM_NEWROUTE: one, or one for each next hop of a multipath route; none for routes of
 * table local, of other types and families, and for cached ones.
 */
export function decodeRoutes(body: Uint8Array): readonly Route[] {
  const [familyNumber = 0, prefixLength = 0, , , shortTable = 0, protocol = 0, scope = 0, type = 0] = body;
  const family = familyOf(familyNumber);
  const flags = decodeU32(body, 8);
  const attributes = indexAttributes(body.subarray(rtmsgBytes));
  const table = decodeOptional(attributes.get(RTA.TABLE)) ?? shortTable;
  const isWanted = type === RTN_UNICAST && table !== RT_TABLE_LOCAL && (flags & RTM_F_CLONED) === 0;
  if (family === undefined || !isWanted) return [];
  const metrics = indexAttributes(attributes.get(RTA.METRICS) ?? new Uint8Array());
  const shared: Omit<Route, keyof NextHop> = {
    family,
    destination: `${decodeIp(attributes.get(RTA.DST) ?? new Uint8Array(family === 4 ? 4 : 16))}/${prefixLength}`,
    table,
    metric: decodeOptional(attributes.get(RTA.PRIORITY)),
    mtu: decodeOptional(metrics.get(RTAX.MTU)),
    advmss: decodeOptional(metrics.get(RTAX.ADVMSS)),
    scope: decodeScope(scope),
    protocol,
  };
  const multipath = attributes.get(RTA.MULTIPATH);
  const hops =
    multipath === undefined
      ? [decodeHop(decodeOptional(attributes.get(RTA.OIF)), flags, attributes)]
      : decodeNextHops(multipath);
  return hops.map((hop) => joinHop(shared, hop));
}

type NextHop = Pick<Route, "gateway" | "index" | "isOnlink">;

function joinHop(shared: Omit<Route, keyof NextHop>, hop: NextHop): Route {
  return { ...shared, ...hop };
}

/** A list of struct rtnexthop, each with attributes of its own. */
function decodeNextHops(bytes: Uint8Array): readonly NextHop[] {
  const hops: NextHop[] = [];
  const view = viewOf(bytes);
  for (let offset = 0; offset + rtnexthopBytes <= bytes.length;) {
    const length = Math.max(view.getUint16(offset, true), rtnexthopBytes);
    const attributes = indexAttributes(bytes.subarray(offset + rtnexthopBytes, offset + length));
    hops.push(decodeHop(view.getUint32(offset + 4, true), bytes[offset + 2] ?? 0, attributes));
    offset += pad(length);
  }
  return hops;
}

function decodeHop(index: number | undefined, flags: number, attributes: Attributes): NextHop {
  // RTA_VIA is a gateway of another family: its number in two bytes, then the address.
  const gateway = attributes.get(RTA.GATEWAY) ?? attributes.get(RTA.VIA)?.subarray(2);
  return {
    index,
    gateway: gateway === undefined ? undefined : decodeIp(gateway),
    isOnlink: (flags & RTNH_F_ONLINK) !== 0,
  };
}

function decodeOptional(bytes: Uint8Array | undefined): number | undefined {
  return bytes === undefined ? undefined : decodeU32(bytes);
}
