// DEL of a VF whose record is lost or cannot be read: by what is found, and never against a pod that has a record.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { listHolders, tryReadCheckpoint } from "../kubelet/device-holders.ts";
import { ownerToken } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { SriovError } from "../sriov/errors.ts";
import { readPciNetdevs } from "../sriov/pci-device.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { resetUnreadable } from "../sriov/reset-unreadable.ts";
import { salvageRecord } from "../sriov/salvage-record.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";
import { resetVf } from "../sriov/vf-reset.ts";
import { findVfNamespace } from "../sriov/vf-search.ts";
import { type Notices, tellKept, tellSetAside } from "./call-log.ts";
import type { Suspect } from "./suspects.ts";

/** Whose DEL it is: `netns` is undefined when that is gone, `uid` where the runtime does not tell it. */
export interface Caller {
  readonly netns: NetnsHandle | undefined;
  readonly token: string;
  readonly uid: string | undefined;
  readonly log: Notices;
}

/**
 * Brings the VF home and resets it to its driver's defaults where it is found in the caller's namespace under the given name, or
 * where its record is unreadable, or lost and a copy says that it is the caller's; that record is moved aside. Left alone are another
 * pod's VF, and one with a record that tells no owner in a namespace that is not this pod's, or without a netdev and by the kubelet
 * another pod's. The caller holds the VF's lock.
 */
export async function releaseUnrecorded(
  host: Host,
  vf: Suspect,
  { netns, token, uid, log }: Caller,
): Promise<void> {
  const reason = whyUnreadable(host, vf.address);
  if (reason === undefined && readAttachment(host, vf.address) !== undefined) return;
  const isInside = netns !== undefined && hasVf(host, vf.address, netns, vf.interface);
  if (reason === undefined) {
    if (isInside) await resetVf(host, vf.address, { netns });
    return;
  }
  const salvaged = salvageRecord(host, vf.address);
  const { owner } = salvaged;
  if (owner !== undefined && ownerToken(owner) !== token) return;
  if (isInside || readPciNetdevs(host, vf.address).length > 0) {
    const from = isInside ? netns : undefined;
    tellKept(log, vf.address, await resetUnreadable(host, vf.address, { salvaged, netns: from, reason }));
    tellSetAside(log, vf.address, reason);
    return;
  }
  // Renamed, in a namespace of its own, or the kernel is still bringing it back; or it has no netdev.
  const found = findVfNamespace(host, vf.address);
  using elsewhere = found?.netns;
  if (owner === undefined && (elsewhere !== undefined || isGivenToOther(host, vf.address, uid))) return;
  tellKept(log, vf.address, await resetUnreadable(host, vf.address, { salvaged, netns: elsewhere, reason }));
  tellSetAside(log, vf.address, reason);
}

// What nobody can tell keeps no pod from ending.
function isGivenToOther(
  host: Pick<Host, "files" | "paths">,
  address: PciAddress,
  uid: string | undefined,
): boolean {
  const holders = listHolders(tryReadCheckpoint(host), address);
  return holders.length > 0 && !holders.some((holder) => holder === uid);
}

function whyUnreadable(host: Pick<Host, "files" | "paths">, address: PciAddress): string | undefined {
  try {
    readAttachment(host, address);
    return undefined;
  } catch (error) {
    if (!(error instanceof SriovError)) throw error;
    return error.message;
  }
}

function hasVf(
  host: Pick<Host, "namespaces" | "openNetlink">,
  address: PciAddress,
  netns: NetnsHandle,
  name: string,
): boolean {
  using netlink = host.openNetlink(netns);
  return findLinkInside(host, netlink, netns, address)?.name === name;
}
