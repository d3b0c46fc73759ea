// What iproute2 shows of an interface in a bare pod's namespace: the independent eye on what the CNI plugin did.
import type { BarePod } from "./bare-pods.ts";
import type { ScriptResult } from "./node-scripts.ts";

export interface PodLink {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly operstate: string;
  readonly parentdev: string | undefined;
  /** Global ones, in the kernel's order. */
  readonly addresses: readonly string[];
}

interface IpLink {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly operstate: string;
  readonly parentdev?: string;
  readonly addr_info: readonly {
    readonly scope: string;
    readonly local: string;
    readonly prefixlen: number;
  }[];
}

interface IpRoute {
  readonly dst: string;
  readonly gateway?: string;
}

/** The script whose result readPodLink reads. */
export function showPodLink({ name }: Pick<BarePod, "name">, ifName: string): string {
  return `ip -n ${name} -j -d address show dev ${ifName}`;
}

/** Throws when there is no such interface. */
export function readPodLink(result: ScriptResult | undefined): PodLink {
  const links: readonly IpLink[] = result?.exitCode === 0 ? JSON.parse(result.stdout) : [];
  const [link] = links;
  if (link === undefined) throw new Error("no such interface in the pod");
  const { ifname: name, address: mac, mtu, operstate, parentdev, addr_info: info } = link;
  const addresses = info
    .filter(({ scope }) => scope === "global")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  return { name, mac, mtu, operstate, parentdev, addresses };
}

/** The script whose result readPodRoutes reads. */
export function showPodRoutes({ name }: Pick<BarePod, "name">, ifName: string): string {
  return `ip -n ${name} -j route show dev ${ifName}`;
}

/** Destinations with their gateways, as "198.51.100.0/24 via 192.0.2.1". */
export function readPodRoutes(result: ScriptResult | undefined): readonly string[] {
  const routes: readonly IpRoute[] = result?.exitCode === 0 ? JSON.parse(result.stdout) : [];
  return routes.map(({ dst, gateway }) => (gateway === undefined ? dst : `${dst} via ${gateway}`));
}
