// Way 4, without a device plugin: picks an unused VF of the PF that the configuration names.

import { LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { HeldLock } from "../host/lock.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import { readAttachments } from "../sriov/attachment-store.ts";
import type { PhysicalFunction } from "../sriov/inventory.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { listReported } from "../sriov/pf-side.ts";
import { createProcessView } from "../sriov/processes.ts";
import { VfBusyError } from "../sriov/vf-errors.ts";
import type { PodNetwork } from "./config.ts";
import { listHandedOut } from "./handed-out.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import type { PodArguments } from "./pod-arguments.ts";
import type { Reservation } from "./reservation.ts";
import { describeUse, type UserspaceView } from "./vf-use.ts";

/** For what a VF is picked. `title` is "pod shop/web-2 as net1". */
export interface PickRequest {
  readonly pf: PhysicalFunction;
  readonly network: PodNetwork;
  readonly interface: string;
  readonly title: string;
  readonly pod: PodArguments["pod"];
}

/**
 * An unused VF of the PF, with its lock: never one that the device plugin or the kubelet hands out, that a record or another
 * namespace has, or that the node lives on. Others pick again once the record is written. Throws ERR_VF_BUSY naming what holds each.
 */
export async function pickVf(host: Host, home: Netlink, request: PickRequest): Promise<Reservation> {
  const { pf, network, title } = request;
  using picking = new DisposableStack();
  picking.use(await host.locks.acquire("pick"));
  // What cannot be read may name any VF: then nothing is picked.
  const handedOut = listHandedOut(host, await readKubeletFacts(host, request.pod));
  const userspace = { driver: network.driver, processes: createProcessView(host) };
  const reasons = new Map<PciAddress, string>();
  for (const address of bestFirst(host, home, pf)) {
    const found = handedOut.get(address) ?? (await lockIfUnused(host, home, address, userspace));
    if (typeof found === "string") {
      reasons.set(address, found);
      continue;
    }
    const pick = picking.move();
    return {
      targets: [{ address, interface: request.interface, network, pickedBy: "cni" }],
      noteRecorded: () => pick.dispose(),
      [Symbol.dispose]: () => {
        pick.dispose();
        found[Symbol.dispose]();
      },
    };
  }
  const name = pf.netdevs[0] ?? pf.address;
  throw new VfBusyError(`no VF of ${name} is free for ${title}: ${describeReasons(reasons)}`);
}

// A VF with the record of a pod that is gone has to be put back first: one without is taken sooner. Last are those that the PF leaves
// out of what it reports: they have to be waited for, and in vain where they are broken.
function bestFirst(
  host: Pick<Host, "files" | "paths">,
  home: Netlink,
  { address, vfs }: PhysicalFunction,
): readonly PciAddress[] {
  const { records, unreadable } = readAttachments(host);
  const recorded = new Set([
    ...records.map(({ device }) => device.address),
    ...unreadable.map(({ address }) => address),
  ]);
  const reported = listReported(host, home, address);
  const isLeftOut = (vf: PciAddress): boolean => reported.size > 0 && !reported.has(vfs.indexOf(vf));
  const rank = (vf: PciAddress): number => (isLeftOut(vf) ? 2 : Number(recorded.has(vf)));
  return vfs.toSorted((a, b) => rank(a) - rank(b));
}

async function lockIfUnused(
  host: Host,
  home: Netlink,
  address: PciAddress,
  userspace: UserspaceView,
): Promise<HeldLock | string> {
  using attempt = new DisposableStack();
  let lock: HeldLock;
  try {
    // Whoever has the lock is giving the VF to a pod, or taking it back.
    lock = attempt.use(await host.locks.acquire(address, { timeoutMs: 0 }));
  } catch (error) {
    if (error instanceof LockTimeoutError) return `process ${error.holderPid ?? "?"} works on it`;
    throw error;
  }
  const use = describeUse(host, home, address, userspace);
  if (use !== undefined) return use;
  attempt.move();
  return lock;
}

// One line for the VFs that have the same reason.
function describeReasons(reasons: ReadonlyMap<PciAddress, string>): string {
  const byReason = Map.groupBy(reasons, ([, reason]) => reason);
  if (byReason.size === 0) return "it has none";
  return [...byReason].map(([reason, vfs]) => `${vfs.map(([vf]) => vf).join(", ")}: ${reason}`).join("; ");
}
