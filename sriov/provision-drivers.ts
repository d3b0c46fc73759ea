// Gives the VFs of resources the driver that a configuration asks for: planned from what is there, never taken from a VF's user.

import type { Host } from "../host/host.ts";
import {
  bindDriverKind,
  type DriverKind,
  findDriverObstacle,
  planDriverKind,
  readDriverState,
} from "./driver.ts";
import { DriverError, VfsInUseError } from "./errors.ts";
import { readInventory, type VirtualFunction } from "./inventory.ts";
import { readNodeUse } from "./node-use.ts";
import { comparePciAddress, isPciAddress, type PciAddress } from "./pci-address.ts";
import type { FindVfUsers } from "./provision-desired.ts";
import { type ProvisionHost, waitUntilSettled } from "./provision.ts";
import { readCandidates, selectDevice, selectDeviceOfAnyDriver } from "./resource-candidates.ts";
import type { ResourcePool } from "./resource-config.ts";

/** A resource, and the driver that its VFs shall have. */
export interface DriverGoal {
  readonly resource: string;
  readonly driver: DriverKind;
}

/** What became of the VFs that had another driver, in PCI order. */
export interface DriverOutcome {
  readonly changed: readonly PciAddress[];
  /** ERR_VFS_IN_USE and ERR_DRIVER, of those that were left as they are. */
  readonly problems: readonly (VfsInUseError | DriverError)[];
}

/**
 * VFs of the resource without such a driver, but none that the node lives on. A VF is of the first resource that selects it; one
 * that a driver is asked for selects whatever driver a VF has, for it is to get the right one.
 */
export function listWrongDrivers(
  host: Pick<Host, "files" | "paths" | "openNetlink" | "openDevlink">,
  pools: readonly ResourcePool[],
  drivers: ReadonlyMap<string, DriverKind>,
  goal: DriverGoal,
): readonly VirtualFunction[] {
  const inventory = readInventory(host);
  const nodeUse = readNodeUse(host, inventory);
  const own = readCandidates(host, inventory, pools).filter((candidate) => {
    const first = pools.find((pool) =>
      drivers.has(pool.name) ? selectDeviceOfAnyDriver(pool, candidate) : selectDevice(pool, candidate),
    );
    return first?.name === goal.resource;
  });
  return own
    .flatMap(({ device: { address } }) => (isPciAddress(address) ? (inventory.vfs.get(address) ?? []) : []))
    .filter(({ address }) => !nodeUse.has(address))
    .filter(({ address }) => planDriverKind(readDriverState(host, address), goal.driver).length > 0);
}

/**
 * Gives the VFs that `listWrong` tells their driver, PF by PF, under the locks of all its VFs in PCI order, then its own; what
 * is in use is looked at under them. What cannot be done for one VF keeps no other from it. Throws ERR_LOCK_TIMEOUT.
 */
export async function reconcileDrivers(
  host: ProvisionHost,
  goal: DriverGoal,
  listWrong: () => readonly VirtualFunction[],
  findUsers: FindVfUsers,
): Promise<DriverOutcome> {
  const changed: PciAddress[] = [];
  const problems: DriverOutcome["problems"][number][] = [];
  for (const pf of new Set(listWrong().map((vf) => vf.pf))) {
    using locks = new DisposableStack();
    const vfs = readInventory(host).pfs.get(pf)?.vfs ?? [];
    for (const vf of vfs.toSorted(comparePciAddress)) locks.use(await host.locks.acquire(vf));
    locks.use(await host.locks.acquire(pf));
    const wrong = listWrong().filter((vf) => vf.pf === pf && vfs.includes(vf.address));
    const { free, problems: found } = await judgeDrivers(host, goal, wrong, findUsers);
    problems.push(...found);
    using netlink = host.openNetlink();
    const done = free.filter(({ address }) => {
      try {
        bindDriverKind(host, address, goal.driver);
        return true;
      } catch (error) {
        if (!(error instanceof DriverError)) throw error;
        problems.push(error);
        return false;
      }
    });
    const addresses = done.map(({ address }) => address);
    changed.push(...addresses);
    if (goal.driver === "kernel" && addresses.length > 0)
      await waitUntilSettled(host, netlink, pf, addresses);
  }
  return { changed, problems };
}

/** Which of `vfs` can be given the driver now, and why the others cannot. */
export async function judgeDrivers(
  host: Pick<Host, "files" | "paths">,
  { resource, driver }: DriverGoal,
  vfs: readonly VirtualFunction[],
  findUsers: FindVfUsers,
): Promise<{ readonly free: readonly VirtualFunction[]; readonly problems: DriverOutcome["problems"] }> {
  const uses = vfs.length === 0 ? [] : await findUsers({ vfs: vfs.map(({ address }) => address) });
  const unused = vfs.filter(({ address }) => !uses.some(({ vf }) => vf === undefined || vf === address));
  const obstacles = new Map(
    unused.map(
      (vf) => [vf.address, driver === "kernel" ? undefined : findDriverObstacle(host, vf, driver)] as const,
    ),
  );
  const told = [...new Set(obstacles.values())].filter((obstacle) => obstacle !== undefined);
  const inUse = uses.length === 0 ? [] : [new VfsInUseError(resource, uses)];
  return {
    free: unused.filter(({ address }) => obstacles.get(address) === undefined),
    problems: [...inUse, ...told.map((obstacle) => new DriverError(obstacle))],
  };
}
