// What there is to offer: for each resource its devices, and for each VF that is left out the reason.
import type { VirtualFunction } from "../sriov/inventory.ts";
import type { AttachmentOwner } from "../sriov/attachment.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { anyDevice } from "../sriov/selector-config.ts";
import { type DeviceSelector, findSelector } from "../sriov/selector.ts";
import { type Candidate, selectDevice } from "../sriov/resource-candidates.ts";
import type { HealthProblem } from "./health.ts";

/** A VF as it is offered: what of it matters to the kubelet and to its pod. */
export interface OfferedDevice extends Pick<
  VirtualFunction,
  "address" | "pf" | "index" | "driver" | "numaNode" | "inode"
> {
  /** The selector that it fits: what its pod is given depends on it. */
  readonly selector: DeviceSelector;
  /** Who has it, by its record; `undefined` while nobody has. */
  readonly owner: AttachmentOwner | undefined;
  /** Why it is unhealthy; `undefined` for a healthy one. */
  readonly problem: HealthProblem | undefined;
}

/** Devices in PCI order, by PCI address, which is their id at the kubelet. */
export type DeviceList = ReadonlyMap<PciAddress, OfferedDevice>;

/** One resource and its devices. A resource that has no device now has an empty list. */
export interface OfferedPool {
  readonly pool: ResourcePool;
  readonly devices: DeviceList;
}

/** Why a VF is in no resource, as metrics name it and in words. */
export interface LeftOut {
  readonly code: "node-use" | "no-driver" | "driver" | "no-resource";
  readonly reason: string;
}

export interface DeviceTree {
  /** By resource name, in the order of the configuration. */
  readonly resources: ReadonlyMap<string, OfferedPool>;
  readonly leftOut: ReadonlyMap<PciAddress, LeftOut>;
  /** Devices that several resources select, with the names of all; they belong to the first. */
  readonly clashes: ReadonlyMap<PciAddress, readonly string[]>;
}

/**
 * Each candidate in the first resource that selects it, except those of `nodeUse`: VFs that the node lives on, with the reason.
 * A device of `held` is in use: it stays in that resource, while there is one of the name, whatever selects it now.
 */
export function buildDeviceTree(
  candidates: readonly Candidate[],
  nodeUse: ReadonlyMap<PciAddress, string>,
  pools: readonly ResourcePool[],
  held: ReadonlyMap<PciAddress, string> = new Map(),
): DeviceTree {
  const lists = new Map(pools.map((pool) => [pool.name, new Map<PciAddress, OfferedDevice>()]));
  const leftOut = new Map<PciAddress, LeftOut>();
  const clashes = new Map<PciAddress, readonly string[]>();
  for (const candidate of candidates) {
    const { address } = candidate.vf;
    const holder = pools.find(({ name }) => name === held.get(address));
    const fits =
      holder === undefined
        ? pools.flatMap((pool) => findFit(pool, candidate) ?? [])
        : [holdFit(holder, candidate)];
    const [first] = fits;
    const use = nodeUse.get(address);
    if (use !== undefined || first === undefined) {
      leftOut.set(
        address,
        use === undefined ? whyNotSelected(candidate.vf, pools) : { code: "node-use", reason: use },
      );
      continue;
    }
    lists.get(first.pool.name)?.set(address, toOffered(candidate.vf, first));
    if (fits.length > 1)
      clashes.set(
        address,
        fits.map(({ pool }) => pool.name),
      );
  }
  const resources = pools.map(
    (pool) => [pool.name, { pool, devices: lists.get(pool.name) ?? new Map() }] as const,
  );
  return { resources: new Map(resources), leftOut, clashes };
}

interface Fit {
  readonly pool: ResourcePool;
  readonly selector: DeviceSelector;
}

function findFit(pool: ResourcePool, candidate: Candidate): Fit | undefined {
  const selector = selectDevice(pool, candidate);
  return selector && { pool, selector };
}

/** What it came with cannot be read any more where it does not fit any more. */
function holdFit(pool: ResourcePool, { selectable }: Candidate): Fit {
  const selector = findSelector(pool.selectors, selectable) ?? pool.selectors[0] ?? anyDevice;
  return { pool, selector };
}

function whyNotSelected({ driver }: VirtualFunction, pools: readonly ResourcePool[]): LeftOut {
  if (driver === undefined) return { code: "no-driver", reason: "no driver" };
  if (pools.every(({ isKernelOnly }) => isKernelOnly))
    return { code: "driver", reason: `not a network driver: ${driver}` };
  return { code: "no-resource", reason: "no resource selects it" };
}

function toOffered(vf: VirtualFunction, { pool, selector }: Fit): OfferedDevice {
  const { address, pf, index, driver, inode } = vf;
  const numaNode = pool.excludeTopology ? undefined : vf.numaNode;
  return { address, pf, index, driver, inode, numaNode, selector, owner: undefined, problem: undefined };
}
