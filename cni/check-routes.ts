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
  const wanted = [...Array.from(told, ([destination, gateway]) => ({ destination, gateway })), ...own];
  return wanted.flatMap((route) => {
    const there = routes.filter(({ destination }) => destination === route.destination);
    if (there.some((live) => isSame(route, live, live.index === link.index))) return [];
    const got = there.map(formatRoute).join(", ");
    return [`route: expected ${formatRoute(route)}, got ${got || "none"}`];
  });
}

// ADD leaves a route that another interface has already: there only what the kernel tells routes apart by can be compared.
function isSame(wanted: AppliedRoute, live: Route, isOurs: boolean): boolean {
  const isApart = differs(wanted.table, live.table) || differs(wanted.metric, live.metric);
  if (isApart || !isOurs) return !isApart;
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
