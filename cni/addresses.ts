// The addresses and routes of one interface: what IPAM answered and what the configuration says, as one list.

import { parseCidr, parseIp, formatCidr, networkOf, type Cidr } from "../sriov/cidr.ts";
import type { IpamResult, IpamRoute } from "../sriov/ipam.ts";
import { scopeLink } from "../sriov/network-config.ts";
import { IpamError } from "../sriov/vf-errors.ts";
import type { NewRoute, Route } from "../host/netlink/netlink.ts";
import type { PodNetwork } from "./config.ts";
import type { CniIp } from "./result.ts";

export interface AddressPlan {
  readonly addresses: readonly Cidr[];
  /** As the result shows them; `interface` is left to the caller. */
  readonly ips: readonly Pick<CniIp, "address" | "gateway">[];
  /** Without the interface's index. */
  readonly routes: readonly Omit<NewRoute, "index">[];
  readonly resultRoutes: readonly IpamRoute[];
  /** As the delegate told it: only the result shows it. */
  readonly dns: object | undefined;
}

/** Merges them. Throws ERR_IPAM for an answer with an address or route that is none. */
export function planAddresses(ipam: IpamResult | undefined, network: PodNetwork): AddressPlan {
  const own = network.ips.map((cidr) => ({
    address: formatCidr(cidr),
    gateway: gatewayOf(network.gateway, cidr.family),
  }));
  const ips = [...(ipam?.ips ?? []), ...own];
  const addresses = ips.map(({ address }) => orThrow(parseCidr(address), `an address, got ${address}`));
  const ownRoutes = network.routes.map((route) => ({ ...route, dst: formatCidr(route.dst) }));
  const resultRoutes = [...(ipam?.routes ?? []), ...ownRoutes];
  const routes = resultRoutes.map((route) => planRoute(route, ips, addresses));
  return { addresses, ips, routes, resultRoutes, dns: ipam?.dns };
}

// A route without a next hop takes the gateway of the first address of its family, as the reference plugins do; one whose scope
// says that the destination is on the link, or nearer, takes none.
function planRoute(
  route: IpamRoute,
  ips: AddressPlan["ips"],
  addresses: readonly Cidr[],
): Omit<NewRoute, "index"> {
  const destination = orThrow(parseCidr(route.dst), `a route's destination, got ${route.dst}`);
  const { family } = destination;
  const gateways = ips.map(({ gateway }) => (gateway === undefined ? undefined : parseIp(gateway)));
  const isDirect = (route.scope ?? 0) >= scopeLink;
  const fallback = isDirect ? undefined : gateways.find((gateway) => gateway?.family === family)?.address;
  const gateway =
    route.gw === undefined ? fallback : orThrow(parseIp(route.gw), `a gateway, got ${route.gw}`).address;
  const { mtu, advmss, priority: metric, table } = route;
  const scope = route.scope === undefined ? undefined : scopes.get(route.scope);
  return {
    family,
    destination: formatCidr(networkOf(destination)),
    gateway,
    isOnlink: gateway !== undefined && !addresses.some((address) => isInside(gateway, address)),
    ...(mtu === undefined ? {} : { mtu }),
    ...(advmss === undefined ? {} : { advmss }),
    ...(metric === undefined ? {} : { metric }),
    ...(table === undefined ? {} : { table }),
    ...(scope === undefined ? {} : { scope }),
  };
}

// include/uapi/linux/rtnetlink.h, rt_scope_t: the higher, the nearer.
const scopes: ReadonlyMap<number, Route["scope"]> = new Map([
  [0, "global"],
  [200, "site"],
  [253, "link"],
  [254, "host"],
  [255, "nowhere"],
]);

function isInside(ip: string, { family, address, prefixLength }: Cidr): boolean {
  const parsed = parseIp(ip);
  if (parsed?.family !== family) return false;
  if (family === 6 && /^fe[89ab]/.test(ip)) return true;
  const network = networkOf({ family, address, prefixLength }).address;
  return networkOf({ family, address: parsed.address, prefixLength }).address === network;
}

function gatewayOf(gateway: string | undefined, family: 4 | 6): string | undefined {
  return gateway !== undefined && parseIp(gateway)?.family === family ? gateway : undefined;
}

function orThrow<Value>(value: Value | undefined, expected: string): Value {
  if (value === undefined) throw new IpamError("reading the delegate's answer", `expected ${expected}`);
  return value;
}
