// The links of the node's own network namespace, and what PFs say of their VFs.

import type { Host } from "../../host/host.ts";
import type { Link, VfInfo } from "../../host/netlink/netlink.ts";
import type { Inventory, PhysicalFunction } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";

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

/** The interface of a PF or VF on the node. */
export function findLink(
  links: readonly Link[],
  { netdevs: [netdev] }: Pick<PhysicalFunction, "netdevs">,
): Link | undefined {
  return netdev === undefined ? undefined : links.find(({ name }) => name === netdev);
}
