// The devices of the node that a resource could offer, with what its selectors look at, and which of them it selects.

import { type Inventory, isNetworkVf, type VirtualFunction } from "./inventory.ts";
import { comparePciAddress } from "./pci-address.ts";
import type { ResourcePool } from "./resource-config.ts";
import { findFactNeeds, readSelectorFacts, type SelectorEyes } from "./selector-facts.ts";
import type { DeviceType } from "./selector-config.ts";
import { type DeviceSelector, findSelector, type SelectableDevice } from "./selector.ts";

/** A VF, and what selectors see of it. */
export interface Candidate {
  readonly vf: VirtualFunction;
  readonly selectable: SelectableDevice;
}

/** Every VF of the node in PCI order, with the facts that the selectors of `pools` ask for. */
export function readCandidates(
  host: SelectorEyes,
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

/** PCI base classes: network controller, processing accelerator. Devices of the auxiliary bus are not PCI devices. */
const pciClasses: Readonly<Record<DeviceType, number | undefined>> = {
  netDevice: 0x02,
  accelerator: 0x12,
  auxNetDevice: undefined,
};

/** The selector of `pool` that the device fits, by the driver that it has now; `undefined` when the resource does not select it. */
export function selectDevice(
  pool: Pick<ResourcePool, "deviceType" | "isKernelOnly" | "selectors">,
  { vf, selectable }: Candidate,
): DeviceSelector | undefined {
  if (vf.driver === undefined || !isOfType(pool, vf)) return undefined;
  if (pool.isKernelOnly && !isNetworkVf(vf)) return undefined;
  return findSelector(pool.selectors, selectable);
}

/** As `selectDevice`, whatever driver the device has: what the resource would select with the right one. */
export function selectDeviceOfAnyDriver(
  pool: Pick<ResourcePool, "deviceType" | "selectors">,
  { vf, selectable }: Candidate,
): DeviceSelector | undefined {
  if (!isOfType(pool, vf)) return undefined;
  const selectors = pool.selectors.map((selector) => ({ ...selector, drivers: [] }));
  return findSelector(selectors, selectable);
}

function isOfType({ deviceType }: Pick<ResourcePool, "deviceType">, vf: VirtualFunction): boolean {
  return vf.classCode >> 16 === pciClasses[deviceType];
}
