// The routes of one VF, as they are, compared with those that its record and the results of the plugins tell.

import type { Link, Route } from "../host/netlink/netlink.ts";
import type { AppliedRoute } from "../sriov/attachment.ts";
import { formatCidr, networkOf, parseCidr, parseIp } from "../sriov/cidr.ts";

/** `own` ADD set, as the record has them; `others` are of the result, and say nothing of tables and metrics that every version knows. */
export interface WantedRoutes {
  readonly own: readonly AppliedRoute[];
  readonly others: readonly { readonly dst: string; readonly gw?: string | undefined }[];
}

/** Every route that is missing, as "route: expected 0.0.0.0/0 via 192.0.2.1 table 100, got none". `routes` are the whole namespace's. */
export function compareRoutes(
  { own, others }: WantedRoutes,
  { link, routes }: { readonly link: Pick<Link, "index">; readonly routes: readonly Route[] },
): readonly string[] {
  const told = new Map(others.map((route) => [toDestination(route.dst), toAddress(route.gw)]));
  for (const { destination } of own) told.delete(destination);
  const wanted = [
    ...Array.from(told, ([destination, gateway]) => ({ destination, gateway })),
    ...own.filter((route, at) => own.findIndex((earlier) => isSameRoute(earlier, route)) === at),
  ];
  return wanted.flatMap((route) => {
    const isOfIt = ({ destination }: AppliedRoute): boolean => destination === route.destination;
    const there = routes.filter(isOfIt);
    const named = new Set(own.filter(isOfIt).map(({ table }) => table));
    const isThere = there.some((live) => {
      const isOurs = live.index === link.index;
      const canBeMoved = !named.has(live.table) && (isOurs || !own.includes(route));
      return isInTable(route, live.table, canBeMoved) && isSame(route, live, isOurs);
    });
    if (isThere) return [];
    const got = there.map(formatRoute).join(", ");
    return [`route: expected ${formatRoute(route)}, got ${got || "none"}`];
  });
}

// As the kernel tells routes apart: ADD leaves a second one out.
function isSameRoute(a: AppliedRoute, b: AppliedRoute): boolean {
  const isInOne = (a.table || mainTable) === (b.table || mainTable);
  return a.destination === b.destination && isInOne && (a.metric ?? 0) === (b.metric ?? 0);
}

// A later plugin, like sbr, may have moved a route for which no table was asked into one that it made.
function isInTable({ table: wanted = 0 }: AppliedRoute, table: number, canBeMoved: boolean): boolean {
  return wanted === 0 ? table === mainTable || canBeMoved : table === wanted;
}

// ADD leaves a route that another interface has already: there only what the kernel tells routes apart by can be compared.
function isSame(wanted: AppliedRoute, live: Route, isOurs: boolean): boolean {
  if (differs(wanted.metric, live.metric)) return false;
  if (!isOurs) return true;
  const isElsewhere = wanted.gateway !== undefined && wanted.gateway !== live.gateway;
  return !isElsewhere && !differs(wanted.mtu, live.mtu) && !differs(wanted.advmss, live.advmss);
}

// 0 leaves it to the kernel, as absence does.
function differs(wanted: number | undefined, live: number | undefined): boolean {
  return wanted !== undefined && wanted !== 0 && wanted !== live;
}

const mainTable = 254;

function formatRoute({ destination, gateway, metric, table, mtu, advmss }: AppliedRoute): string {
  const words = {
    via: gateway,
    metric,
    table: table === mainTable ? undefined : table,
    mtu,
    advmss,
  };
  const told = Object.entries(words).filter(([, value]) => value !== undefined && value !== 0);
  return [destination, ...told.map(([word, value]) => `${word} ${value}`)].join(" ");
}

function toAddress(ip: string | undefined): string | undefined {
  return ip === undefined ? undefined : (parseIp(ip)?.address ?? ip);
}

function toDestination(dst: string): string {
  const cidr = parseCidr(dst);
  return cidr === undefined ? dst : formatCidr(networkOf(cidr));
}
