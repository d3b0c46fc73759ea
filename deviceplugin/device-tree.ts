// What there is to offer: for each resource its devices, and for each VF that is left out the reason.
import type { DeviceId } from "../sriov/aux-device.ts";
import type { AttachmentOwner } from "../sriov/attachment.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { anyDevice } from "../sriov/selector-config.ts";
import { type DeviceSelector, findSelector } from "../sriov/selector.ts";
import { type Candidate, type OfferableDevice, selectDevice } from "../sriov/resource-candidates.ts";
import type { HealthProblem } from "./health.ts";

/** A device as it is offered: what of it matters to the kubelet and to its pod. */
export interface OfferedDevice extends Pick<
  OfferableDevice,
  "address" | "pf" | "index" | "driver" | "numaNode" | "inode"
> {
  /** The selector that it fits: what its pod is given depends on it. */
  readonly selector: DeviceSelector;
  /** Who has it, by its record; `undefined` while nobody has. */
  readonly owner: AttachmentOwner | undefined;
  /** Why it is unhealthy; `undefined` for a healthy one. */
  readonly problem: HealthProblem | undefined;
}

/** Devices in PCI order, by their id at the kubelet. */
export type DeviceList = ReadonlyMap<DeviceId, OfferedDevice>;

/** One resource and its devices. A resource that has no device now has an empty list. */
export interface OfferedPool {
  readonly pool: ResourcePool;
  readonly devices: DeviceList;
}

/** Why a device is in no resource, as metrics name it and in words. */
export interface LeftOut {
  readonly code: "node-use" | "no-driver" | "driver" | "no-resource";
  readonly reason: string;
}

export interface DeviceTree {
  /** By resource name, in the order of the configuration. */
  readonly resources: ReadonlyMap<string, OfferedPool>;
  readonly leftOut: ReadonlyMap<DeviceId, LeftOut>;
  /** Devices that several resources select, with the names of all; they belong to the first. */
  readonly clashes: ReadonlyMap<DeviceId, readonly string[]>;
}

/**
 * Each candidate in the first resource that selects it, except those of `nodeUse`: VFs that the node lives on, with the reason.
 * A device of `held` is in use: it stays in that resource, while there is one of the name, whatever selects it now.
 */
export function buildDeviceTree(
  candidates: readonly Candidate[],
  nodeUse: ReadonlyMap<DeviceId, string>,
  pools: readonly ResourcePool[],
  held: ReadonlyMap<DeviceId, string> = new Map(),
): DeviceTree {
  const lists = new Map(pools.map((pool) => [pool.name, new Map<DeviceId, OfferedDevice>()]));
  const leftOut = new Map<DeviceId, LeftOut>();
  const clashes = new Map<DeviceId, readonly string[]>();
  for (const candidate of candidates) {
    const { address } = candidate.device;
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
        use === undefined ? whyNotSelected(candidate.device, pools) : { code: "node-use", reason: use },
      );
      continue;
    }
    lists.get(first.pool.name)?.set(address, toOffered(candidate.device, first));
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

function whyNotSelected({ driver }: OfferableDevice, pools: readonly ResourcePool[]): LeftOut {
  if (driver === undefined) return { code: "no-driver", reason: "no driver" };
  if (pools.every(({ isKernelOnly }) => isKernelOnly))
    return { code: "driver", reason: `not a network driver: ${driver}` };
  return { code: "no-resource", reason: "no resource selects it" };
}

function toOffered(device: OfferableDevice, { pool, selector }: Fit): OfferedDevice {
  const { address, pf, index, driver, inode } = device;
  const numaNode = pool.excludeTopology ? undefined : device.numaNode;
  return { address, pf, index, driver, inode, numaNode, selector, owner: undefined, problem: undefined };
}
