// VFs that an ADD has for itself: locked, so that nobody else gives them away meanwhile.

import type { Host } from "../host/host.ts";
import { comparePciAddress } from "../sriov/pci-address.ts";
import type { Target } from "./targets.ts";

/** Held until ADD is over. */
export interface Reservation extends Disposable {
  readonly targets: readonly Target[];
  /** To be called once the records are written: they protect the VFs from then on. */
  readonly noteRecorded: () => void;
}

/** Locks the VFs of `targets`, in PCI order. Throws ERR_LOCK_TIMEOUT. */
export async function reserveTargets(
  host: Pick<Host, "locks">,
  targets: readonly Target[],
): Promise<Reservation> {
  const locks: Disposable[] = [];
  const release = (): void => {
    for (const lock of locks.toReversed()) lock[Symbol.dispose]();
  };
  try {
    for (const { address } of targets.toSorted((a, b) => comparePciAddress(a.address, b.address)))
      locks.push(await host.locks.acquire(address));
  } catch (error) {
    release();
    throw error;
  }
  return { targets, noteRecorded: () => undefined, [Symbol.dispose]: release };
}
