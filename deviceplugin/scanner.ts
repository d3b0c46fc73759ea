// Looks at the node: which VFs there are to offer now.
import type { Host } from "../host/host.ts";
import { readInventory } from "../sriov/inventory.ts";
import { readNodeUse } from "../sriov/node-use.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { readCandidates } from "./candidates.ts";
import { buildDeviceTree, type DeviceTree } from "./device-tree.ts";

/** Reads sysfs and the links, addresses and routes of this network namespace, which must be the node's. */
export function scanDevices(
  host: Pick<Host, "files" | "paths" | "openNetlink">,
  pools: readonly ResourcePool[],
): DeviceTree {
  const inventory = readInventory(host);
  const candidates = readCandidates(host, inventory, pools);
  return buildDeviceTree(candidates, readNodeUse(host, inventory), pools);
}
