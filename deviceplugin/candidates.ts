// The devices of the node that a resource could offer, with what its selectors look at.
import type { Host } from "../host/host.ts";
import type { Inventory, VirtualFunction } from "../sriov/inventory.ts";
import { comparePciAddress } from "../sriov/pci-address.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { findFactNeeds, readSelectorFacts } from "../sriov/selector-facts.ts";
import type { SelectableDevice } from "../sriov/selector.ts";

/** A VF, and what selectors see of it. */
export interface Candidate {
  readonly vf: VirtualFunction;
  readonly selectable: SelectableDevice;
}

/** Every VF of the node in PCI order, with the facts that the selectors of `pools` ask for. */
export function readCandidates(
  host: Pick<Host, "files" | "paths">,
  inventory: Inventory,
  pools: readonly ResourcePool[],
): readonly Candidate[] {
  const needs = findFactNeeds(pools.flatMap(({ selectors }) => selectors));
  const vfs = [...inventory.vfs.values()].toSorted((a, b) => comparePciAddress(a.address, b.address));
  return vfs.map((vf) => {
    const { address, pf, index, vendor, device, driver } = vf;
    const pfNames = inventory.pfs.get(pf)?.netdevs ?? [];
    const facts = readSelectorFacts(host, vf, pfNames[0], needs);
    return { vf, selectable: { address, pf, pfNames, index, vendor, device, driver, facts } };
  });
}
