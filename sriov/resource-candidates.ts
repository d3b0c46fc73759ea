// The devices of the node that a resource could offer, with what its selectors look at, and which of them it selects.

import { type AuxDevice, type DeviceId, readAuxDevices } from "./aux-device.ts";
import { type Inventory, isUserspaceDriver, type VirtualFunction } from "./inventory.ts";
import { comparePciAddress, type PciAddress } from "./pci-address.ts";
import type { ResourcePool } from "./resource-config.ts";
import type { DeviceType } from "./selector-config.ts";
import { type FactNeeds, findFactNeeds, readSelectorFacts, type SelectorEyes } from "./selector-facts.ts";
import { type DeviceSelector, findSelector, type SelectableDevice } from "./selector.ts";

/** A VF or subfunction. */
export interface OfferableDevice {
  readonly address: DeviceId;
  /** `undefined` for a VF of another kind. */
  readonly type: DeviceType | undefined;
  readonly pf: PciAddress;
  readonly index: number;
  readonly driver: string | undefined;
  readonly numaNode: number | undefined;
  /** Of its device directory. */
  readonly inode: bigint;
  /** In this network namespace. */
  readonly netdevs: readonly string[];
}

/** A device, and what selectors see of it. */
export interface Candidate {
  readonly device: OfferableDevice;
  readonly selectable: SelectableDevice;
}

/**
 * Every VF of the node in PCI order, with the facts that the selectors of `pools` ask for; then its subfunctions, where one of
 * `pools` is for them.
 */
export function readCandidates(
  host: SelectorEyes,
  inventory: Inventory,
  pools: readonly ResourcePool[],
): readonly Candidate[] {
  const needs = findFactNeeds(pools.flatMap(({ selectors }) => selectors));
  const vfs = [...inventory.vfs.values()].toSorted((a, b) => comparePciAddress(a.address, b.address));
  const hasAux = pools.some(({ deviceType }) => deviceType === "auxNetDevice");
  return [
    ...vfs.map((vf) => toCandidate(host, vf, inventory.pfs.get(vf.pf)?.netdevs ?? [], needs)),
    ...(hasAux ? readAuxDevices(host) : []).map((aux) => toAuxCandidate(host, aux, needs)),
  ];
}

/** The selector of `pool` that the device fits, by the driver that it has now; `undefined` when the resource does not select it. */
export function selectDevice(
  pool: Pick<ResourcePool, "deviceType" | "isKernelOnly" | "selectors">,
  { device, selectable }: Candidate,
): DeviceSelector | undefined {
  const { driver, type } = device;
  if (driver === undefined || type !== pool.deviceType) return undefined;
  if (pool.isKernelOnly && isUserspaceDriver(driver)) return undefined;
  return findSelector(pool.selectors, selectable);
}

/** As `selectDevice`, whatever driver the device has: what the resource would select with the right one. */
export function selectDeviceOfAnyDriver(
  pool: Pick<ResourcePool, "deviceType" | "selectors">,
  { device, selectable }: Candidate,
): DeviceSelector | undefined {
  if (device.type !== pool.deviceType) return undefined;
  const selectors = pool.selectors.map((selector) => ({ ...selector, drivers: [] }));
  return findSelector(selectors, selectable);
}

/** PCI base classes: network controller, processing accelerator. */
const typesByClass: ReadonlyMap<number, DeviceType> = new Map([
  [0x02, "netDevice"],
  [0x12, "accelerator"],
]);

function toCandidate(
  host: SelectorEyes,
  vf: VirtualFunction,
  pfNames: readonly string[],
  needs: FactNeeds,
): Candidate {
  const { address, pf, index, driver, numaNode, inode, netdevs, vendor, device } = vf;
  const facts = readSelectorFacts(host, vf, pfNames[0], needs);
  return {
    device: {
      address,
      pf,
      index,
      driver,
      numaNode,
      inode,
      netdevs,
      type: typesByClass.get(vf.classCode >> 16),
    },
    selectable: { address, pf, pfNames, index, vendor, device, driver, facts },
  };
}

function toAuxCandidate(host: SelectorEyes, aux: AuxDevice, needs: FactNeeds): Candidate {
  const { name: address, pf, index, numaNode, inode, netdevs } = aux;
  const { vendor, device, driver, netdevs: pfNames } = aux.parent;
  const facts = readSelectorFacts(host, { address, pf, netdevs }, pfNames[0], needs);
  return {
    device: { address, pf, index, driver, numaNode, inode, netdevs, type: "auxNetDevice" },
    selectable: { address: pf, pf, pfNames, index, vendor, device, driver, facts },
  };
}
