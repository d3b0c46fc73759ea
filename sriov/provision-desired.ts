// Brings a PF to the VF count and MTU that a configuration asks for: planned from what is there, refused when it would take a VF from its user.

import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import { ProvisionError, VfsInUseError, type VfUse } from "./errors.ts";
import type { PhysicalFunction } from "./inventory.ts";
import { comparePciAddress, type PciAddress } from "./pci-address.ts";
import {
  applyStep,
  listFutureVfs,
  type ProvisionHost,
  type ProvisionStep,
  readKnownPf,
  waitUntilSettled,
} from "./provision.ts";

/** What a PF shall have; absent is left as it is. */
export interface DesiredPf {
  readonly numVfs: number | undefined;
  readonly mtu: number | undefined;
}

/** A PF's interface as it is now; `undefined` where it has none on the host. */
type PfLink = { readonly isUp: boolean; readonly mtu: number } | undefined;

/** Who uses which of some VFs. */
export type FindVfUsers = (of: Pick<PhysicalFunction, "vfs">) => Promise<readonly VfUse[]>;

/**
 * Steps from what is there to `desired`; none when it is so. Another number of VFs goes by way of none, as the kernel wants it.
 * Throws ERR_PROVISION over the PF's total, or for an MTU of a PF without an interface.
 */
function planPf(
  pf: Pick<PhysicalFunction, "address" | "netdevs" | "totalVfs" | "numVfs">,
  link: PfLink,
  { numVfs = pf.numVfs, mtu }: DesiredPf,
): readonly ProvisionStep[] {
  const [netdev] = pf.netdevs;
  const name = netdev ?? pf.address;
  if (numVfs > pf.totalVfs)
    throw new ProvisionError(
      `making ${numVfs} VFs of ${name}: expected at most ${pf.totalVfs}, the most that this card has`,
    );
  if (mtu !== undefined && netdev === undefined)
    throw new ProvisionError(`setting the MTU of ${name}: expected an interface on the host, it has none`);
  const steps: ProvisionStep[] = [];
  if (netdev !== undefined && mtu !== undefined && link?.mtu !== mtu)
    steps.push({ do: "setMtu", netdev, mtu });
  if (numVfs === pf.numVfs) return steps;
  if (numVfs > 0 && netdev !== undefined && link?.isUp !== true) steps.push({ do: "bringUp", netdev });
  if (pf.numVfs > 0) steps.push({ do: "setNumVfs", numVfs: 0 });
  if (numVfs > 0) steps.push({ do: "setNumVfs", numVfs });
  return steps;
}

/** The plan for a PF as it is now. Throws ERR_PROVISION. */
export function observePf(
  host: Pick<Host, "files" | "paths" | "openNetlink">,
  address: PciAddress,
  desired: DesiredPf,
): { readonly pf: PhysicalFunction; readonly steps: readonly ProvisionStep[] } {
  const pf = readKnownPf(host, address);
  using netlink = host.openNetlink();
  const [netdev] = pf.netdevs;
  const link = netdev === undefined ? undefined : netlink.getLink({ name: netdev });
  return { pf, steps: planPf(pf, link, desired) };
}

/** Throws ERR_VFS_IN_USE naming the users when `steps` would take a VF from one. */
export async function refuseUsed(
  pf: PhysicalFunction,
  steps: readonly ProvisionStep[],
  findUsers: FindVfUsers,
): Promise<void> {
  const takesVfs = pf.numVfs > 0 && steps.some((step) => step.do === "setNumVfs");
  const users = takesVfs ? await findUsers(pf) : [];
  if (users.length > 0) throw new VfsInUseError(pf.netdevs[0] ?? pf.address, users);
}

/**
 * Carries the plan out, under the locks of the VFs that are there and of those to be, in PCI order, then the PF's; what is in
 * use is looked at under them. Gives the steps done. Where the new VFs cannot be made, as many as before are made again. Throws
 * ERR_PROVISION, ERR_VFS_IN_USE, ERR_LOCK_TIMEOUT.
 */
export async function reconcilePf(
  host: ProvisionHost,
  address: PciAddress,
  desired: DesiredPf,
  findUsers: FindVfUsers,
): Promise<readonly ProvisionStep[]> {
  const before = observePf(host, address, desired);
  if (before.steps.length === 0) return [];
  const vfs = new Set([...before.pf.vfs, ...listFutureVfs(host, address, desired.numVfs ?? 0)]);
  using locks = new DisposableStack();
  for (const vf of [...vfs].toSorted(comparePciAddress)) locks.use(await host.locks.acquire(vf));
  locks.use(await host.locks.acquire(address));
  const { pf, steps } = observePf(host, address, desired);
  if (pf.vfs.some((vf) => !vfs.has(vf)))
    throw new ProvisionError(`changing ${pf.netdevs[0] ?? address}: its VFs changed meanwhile; run it again`);
  await refuseUsed(pf, steps, findUsers);
  using netlink = host.openNetlink();
  try {
    for (const step of steps) applyStep(host, netlink, pf, step);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    const outcome = await makeAgain(host, netlink, pf);
    throw outcome === undefined
      ? error
      : new ProvisionError(`${error.message}; ${outcome}`, { cause: error });
  }
  if (steps.some((step) => step.do === "setNumVfs" && step.numVfs > 0))
    await waitUntilSettled(host, netlink, address);
  return steps;
}

// The card may have no room for as many as it says: a node with too few VFs is better than one with none.
async function makeAgain(
  host: ProvisionHost,
  netlink: Pick<Netlink, "getLink" | "setLink" | "subscribe">,
  before: PhysicalFunction,
): Promise<string | undefined> {
  const numVfs = before.vfs.length;
  if (numVfs === 0 || readKnownPf(host, before.address).vfs.length > 0) return undefined;
  try {
    applyStep(host, netlink, before, { do: "setNumVfs", numVfs });
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return `the ${numVfs} VFs of before are gone: ${error.message}`;
  }
  await waitUntilSettled(host, netlink, before.address);
  return `it has ${numVfs} VFs again, as before`;
}
