// Which VFs the node itself lives on: those are never advertised nor moved.

import type { Host } from "../host/host.ts";
import type { InterfaceAddress, Link, Route } from "../host/netlink/netlink.ts";
import type { Inventory } from "./inventory.ts";
import type { PciAddress } from "./pci-address.ts";

/** What the host's network namespace looks like, as plain data. */
export interface NodeNetwork {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}

/** VFs that the node lives on, each with the reason ("default route through bond0"). */
export declare function findNodeUse(
  inventory: Inventory,
  network: NodeNetwork,
): ReadonlyMap<PciAddress, string>;

/** As `findNodeUse`, of this process's network namespace. */
export declare function readNodeUse(
  host: Pick<Host, "openNetlink">,
  inventory: Inventory,
): ReadonlyMap<PciAddress, string>;
