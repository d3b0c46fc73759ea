// Makes virtual functions: what is to be done as a plan, carried out under the locks of the PF and of the VFs that it will have.

import { NetlinkError, SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import { ProvisionError } from "./errors.ts";
import { isNetworkVf, readPf, readVf, type PhysicalFunction } from "./inventory.ts";
import {
  comparePciAddress,
  formatPciAddress,
  pciDomain,
  pciRoutingId,
  type PciAddress,
} from "./pci-address.ts";
import { pciFolder } from "./pci-device.ts";
import { notePfQueues } from "./pf-queues.ts";
import { readNumber } from "./sysfs.ts";
import { waitForLinks } from "./vf-locate.ts";

export type ProvisionHost = Pick<Host, "files" | "paths" | "locks" | "clock" | "openNetlink" | "openEthtool">;

/** One thing to do on the PF. */
export type ProvisionStep =
  | { readonly do: "bringUp"; readonly netdev: string }
  | { readonly do: "setMtu"; readonly netdev: string; readonly mtu: number }
  /** Written to `sriov_numvfs`. */
  | { readonly do: "setNumVfs"; readonly numVfs: number };

/** How long new VFs are waited for, and for how long nothing may happen to them to count as settled. */
const settleMs = 10_000;
const quietMs = 300;

/**
 * Steps that give a PF without VFs `numVfs` of them; none when it has VFs already: their number is never changed here, pods
 * may have them. `isUp` is of the PF's netdev: a PF that is down makes VFs that do not work. Throws ERR_PROVISION over the PF's total.
 */
export function planProvision(
  pf: Pick<PhysicalFunction, "address" | "netdevs" | "totalVfs" | "numVfs">,
  isUp: boolean,
  numVfs: number,
): readonly ProvisionStep[] {
  const netdev = pf.netdevs[0];
  if (numVfs < 1 || numVfs > pf.totalVfs)
    throw new ProvisionError(
      `making ${numVfs} VFs of ${netdev ?? pf.address}: expected 1 to ${pf.totalVfs}, the most that this card has`,
    );
  if (pf.numVfs > 0) return [];
  const bringUp = netdev === undefined || isUp ? [] : [{ do: "bringUp", netdev } as const];
  return [...bringUp, { do: "setNumVfs", numVfs }];
}

/**
 * Gives the PF `numVfs` VFs where it has none, and waits until their interfaces have the names that udev gives. Under the locks
 * of the VFs that it will have, then its own. Throws ERR_PROVISION, ERR_LOCK_TIMEOUT.
 */
export async function provisionPf(host: ProvisionHost, address: PciAddress, numVfs: number): Promise<void> {
  if (planProvision(readKnownPf(host, address), true, numVfs).length === 0) return;
  using locks = new DisposableStack();
  for (const vf of listFutureVfs(host, address, numVfs)) locks.use(await host.locks.acquire(vf));
  locks.use(await host.locks.acquire(address));
  const pf = readKnownPf(host, address);
  using netlink = host.openNetlink();
  const netdev = pf.netdevs[0];
  const link = netdev === undefined ? undefined : netlink.getLink({ name: netdev });
  const steps = planProvision(pf, link?.isUp === true, numVfs);
  for (const step of steps) applyStep(host, netlink, pf, step);
  if (steps.length > 0) await waitUntilSettled(host, netlink, address);
}

/** The PF at `address`. Throws ERR_PROVISION when there is none. */
export function readKnownPf(host: Pick<Host, "files" | "paths">, address: PciAddress): PhysicalFunction {
  const pf = readPf(host, address);
  if (pf === undefined) throw new ProvisionError(`making VFs of ${address}: it can have none`);
  return pf;
}

/** Does one thing on the PF. Throws ERR_PROVISION with the driver's own words. */
export function applyStep(
  host: ProvisionHost,
  netlink: Pick<Netlink, "getLink" | "setLink">,
  pf: PhysicalFunction,
  step: ProvisionStep,
): void {
  try {
    switch (step.do) {
      case "bringUp":
        netlink.setLink(netlink.getLink({ name: step.netdev })?.index ?? 0, { set: "up", value: true });
        return;
      case "setMtu":
        netlink.setLink(netlink.getLink({ name: step.netdev })?.index ?? 0, { set: "mtu", value: step.mtu });
        return;
      case "setNumVfs":
        if (step.numVfs > 0) noteBefore(host, netlink, pf);
        host.files.writeText(`${pciFolder(host, pf.address)}/sriov_numvfs`, `${step.numVfs}\n`);
        return;
    }
  } catch (cause) {
    if (!(cause instanceof SystemCallError || cause instanceof NetlinkError)) throw cause;
    const doing = describeStep(step);
    const driver = pf.driver ?? "none";
    throw new ProvisionError(
      `provisioning ${pf.netdevs[0] ?? pf.address} (driver ${driver}): ${doing}: ${cause.message}`,
      { cause },
    );
  }
}

function noteBefore(host: ProvisionHost, netlink: Pick<Netlink, "getLink">, pf: PhysicalFunction): void {
  const [name] = pf.netdevs;
  const link = name === undefined ? undefined : netlink.getLink({ name });
  if (link !== undefined) notePfQueues(host, pf.address, link.index);
}

function describeStep(step: ProvisionStep): string {
  switch (step.do) {
    case "bringUp":
      return "bringing it up";
    case "setMtu":
      return `setting its MTU to ${step.mtu}`;
    case "setNumVfs":
      return `writing ${step.numVfs} to sriov_numvfs`;
  }
}

/** Where the kernel tells offset and stride, in PCI order: VFs of before can still be given back at these addresses. */
export function listFutureVfs(
  host: Pick<Host, "files" | "paths">,
  pf: PciAddress,
  numVfs: number,
): readonly PciAddress[] {
  const offset = readNumber(host.files, `${pciFolder(host, pf)}/sriov_offset`);
  const stride = readNumber(host.files, `${pciFolder(host, pf)}/sriov_stride`);
  if (offset === undefined || stride === undefined) return [];
  const first = pciRoutingId(pf) + offset;
  const vfs = Array.from({ length: numVfs }, (_, vf) => formatPciAddress(pciDomain(pf), first + vf * stride));
  return vfs.toSorted(comparePciAddress);
}

/** Until each of `vfs` that gets a network driver has its interface, and nothing more happens to links; not an error when it takes longer. */
export async function waitUntilSettled(
  host: ProvisionHost,
  netlink: Pick<Netlink, "subscribe">,
  pf: PciAddress,
  vfs = readPf(host, pf)?.vfs ?? [],
): Promise<void> {
  const endMs = host.clock.monotonicMs() + settleMs;
  const areThere = (): true | undefined => {
    const now = vfs.map((vf) => readVf(host, vf));
    return now.every((vf) => vf !== undefined && isNetworkVf(vf) && vf.netdevs.length > 0) || undefined;
  };
  const isProbed = readNumber(host.files, `${pciFolder(host, pf)}/sriov_drivers_autoprobe`) !== 0;
  if (isProbed) await waitForLinks(host, netlink, settleMs, areThere);
  let changedMs = host.clock.monotonicMs();
  using _events = netlink.subscribe((event) => {
    // Pods come and go as veth pairs meanwhile.
    if (event.event === "link" && event.link.kind === undefined) changedMs = host.clock.monotonicMs();
  });
  for (let nowMs = changedMs; nowMs < Math.min(endMs, changedMs + quietMs); nowMs = host.clock.monotonicMs())
    await host.clock.sleep(changedMs + quietMs - nowMs);
}
