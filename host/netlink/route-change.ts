// Adding and removing routes as netlink requests.

import { NetlinkError } from "../errors.ts";
import { concatBytes, encodeAttributes, viewOf, type Attribute } from "./codec.ts";
import { addressFamily, encodeIp } from "./ip-address.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type NetlinkRequest } from "./message.ts";
import type { NewRoute } from "./netlink.ts";
import { RTA, RTAX, RTN_UNICAST, RTNH_F_ONLINK, rtmsgBytes } from "./route.ts";
import { encodeScope } from "./scope.ts";
import { encodeU32 } from "./values.ts";

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RT_TABLE_UNSPEC = 0;
const RT_TABLE_MAIN = 254;
const RT_SCOPE_NOWHERE = 255;
const RTPROT_STATIC = 4;

/**
 * Adds a route, which must not be there yet: table main, protocol static, and scope link for IPv4 without gateway unless
 * told otherwise. Throws NetlinkError EINVAL for an address that is none.
 */
export function addRouteRequest(route: NewRoute): NetlinkRequest {
  const defaultScope = route.family === 4 && route.gateway === undefined ? "link" : "global";
  const kind = {
    protocol: RTPROT_STATIC,
    scope: encodeScope(route.scope ?? defaultScope),
    type: RTN_UNICAST,
  };
  return { type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, body: encodeRoute(route, kind) };
}

/** Removes the first route that has all that is told; scope only where told. */
export function removeRouteRequest(route: NewRoute): NetlinkRequest {
  const scope = route.scope === undefined ? RT_SCOPE_NOWHERE : encodeScope(route.scope);
  return { type: RTM_DELROUTE, flags: 0, body: encodeRoute(route, { protocol: 0, scope, type: 0 }) };
}

/** A route in words, for messages: "route 10.0.0.0/8 via 10.1.0.1 dev 5". */
export function describeRoute({ destination, gateway, index, table, metric }: NewRoute): string {
  const words = [
    ["via", gateway],
    ["dev", index],
    ["table", table],
    ["metric", metric],
  ] as const;
  const told = words.filter(([, value]) => value !== undefined).map(([word, value]) => ` ${word} ${value}`);
  return `route ${destination}${told.join("")}`;
}

function encodeRoute(
  route: NewRoute,
  kind: { readonly protocol: number; readonly scope: number; readonly type: number },
): Uint8Array {
  const { address, prefixLength } = parseDestination(route);
  const table = route.table ?? RT_TABLE_MAIN;
  const header = new Uint8Array(rtmsgBytes);
  header.set([addressFamily(route.family), prefixLength], 0);
  header.set([table < 256 ? table : RT_TABLE_UNSPEC, kind.protocol, kind.scope, kind.type], 4);
  viewOf(header).setUint32(8, route.isOnlink === true ? RTNH_F_ONLINK : 0, true);
  const attributes = [
    ...(prefixLength === 0 ? [] : [{ type: RTA.DST, value: address }]),
    ...gatewayAttribute(route),
    ...numberAttribute(RTA.PRIORITY, route.metric),
    ...numberAttribute(RTA.TABLE, table < 256 ? undefined : table),
    ...numberAttribute(RTA.OIF, route.index),
    ...metricsAttribute(route),
  ];
  return concatBytes([header, encodeAttributes(attributes)]);
}

function parseDestination({ family, destination }: NewRoute): {
  readonly address: Uint8Array;
  readonly prefixLength: number;
} {
  const [address = "", prefix = ""] = destination.split("/");
  const prefixLength = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (prefixLength < 0 || prefixLength > (family === 4 ? 32 : 128)) {
    throw new NetlinkError(`reading IPv${family} destination "${destination}"`, "EINVAL");
  }
  return { address: encodeIp(family, address), prefixLength };
}

function gatewayAttribute({ family, gateway }: NewRoute): readonly Attribute[] {
  if (gateway === undefined) return [];
  const gatewayFamily = gateway.includes(":") ? 6 : 4;
  const address = encodeIp(gatewayFamily, gateway);
  if (gatewayFamily === family) return [{ type: RTA.GATEWAY, value: address }];
  return [{ type: RTA.VIA, value: concatBytes([Uint8Array.of(addressFamily(gatewayFamily), 0), address]) }];
}

function metricsAttribute({ mtu, advmss }: NewRoute): readonly Attribute[] {
  const metrics = [...numberAttribute(RTAX.MTU, mtu), ...numberAttribute(RTAX.ADVMSS, advmss)];
  return metrics.length === 0 ? [] : [{ type: RTA.METRICS, value: metrics }];
}

function numberAttribute(type: number, value: number | undefined): readonly Attribute[] {
  return value === undefined ? [] : [{ type, value: encodeU32(value) }];
}
