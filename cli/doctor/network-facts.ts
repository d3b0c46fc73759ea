// The links of the node's own network namespace, and what PFs say of their VFs.

import type { Host } from "../../host/host.ts";
import type { Link, VfInfo } from "../../host/netlink/netlink.ts";
import type { Inventory, PhysicalFunction } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { readNotedQueues, readQueues } from "../../sriov/pf-queues.ts";

export interface NetworkFacts {
  readonly links: readonly Link[];
  /** By PF; a PF without an interface on the node is absent. */
  readonly vfInfos: ReadonlyMap<PciAddress, readonly VfInfo[]>;
}

/** Reads them in this process's namespace, which must be the node's. */
export function readNetworkFacts(
  host: Pick<Host, "openNetlink">,
  { pfs }: Pick<Inventory, "pfs">,
): NetworkFacts {
  using netlink = host.openNetlink();
  const links = netlink.listLinks();
  const vfInfos = [...pfs.values()].flatMap((pf) => {
    const link = findLink(links, pf);
    return link === undefined ? [] : [[pf.address, netlink.listVfs(link.index)] as const];
  });
  return { links, vfInfos: new Map(vfInfos) };
}

/** `undefined`: the driver does not tell; nobody noted it when the VFs were made. */
export interface PfQueues {
  readonly name: string;
  readonly now: number | undefined;
  readonly before: number | undefined;
}

/** Of the PFs that have VFs, and an interface on the node. */
export function readPfQueues(
  host: Pick<Host, "files" | "paths" | "openNetlink" | "openEthtool">,
  { pfs }: Pick<Inventory, "pfs">,
): ReadonlyMap<PciAddress, PfQueues> {
  using netlink = host.openNetlink();
  const withVfs = [...pfs.values()].filter(({ numVfs }) => numVfs > 0);
  const queues = withVfs.flatMap(({ address, netdevs: [name] }) => {
    const link = name === undefined ? undefined : netlink.getLink({ name });
    if (link === undefined) return [];
    const now = readQueues(host, link.index);
    return [[address, { name: link.name, now, before: readNotedQueues(host, address) }] as const];
  });
  return new Map(queues);
}

/** The interface of a PF or VF on the node. */
export function findLink(
  links: readonly Link[],
  { netdevs: [netdev] }: Pick<PhysicalFunction, "netdevs">,
): Link | undefined {
  return netdev === undefined ? undefined : links.find(({ name }) => name === netdev);
}
