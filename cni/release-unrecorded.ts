// DEL of a VF whose record is lost or cannot be read: by what is found, and never against a pod that has a record.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { quarantineAttachment, readAttachment } from "../sriov/attachment-store.ts";
import { SriovError } from "../sriov/errors.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";
import { resetVf } from "../sriov/vf-reset.ts";

/** `record` is what stands in the store: nothing, something unreadable, or the record of whoever has the VF. */
type RecordState = "lost" | "unreadable" | "another's";

/**
 * Brings the VF home and resets it to its driver's defaults where it is found in `netns` under the given name, or where its
 * record is unreadable; that record is moved aside. Another pod's VF is left alone. The caller holds the VF's lock.
 */
export async function releaseUnrecorded(
  host: Host,
  vf: { readonly address: PciAddress; readonly interface: string },
  netns: NetnsHandle | undefined,
): Promise<void> {
  const state = readState(host, vf.address);
  if (state.record === "another's") return;
  const isInside = netns !== undefined && isFoundInside(host, vf, netns);
  if (isInside || state.record === "unreadable")
    await resetVf(host, vf.address, isInside ? netns : undefined);
  if (state.record === "unreadable") quarantineAttachment(host, vf.address, state.reason);
}

function readState(
  host: Pick<Host, "files" | "paths">,
  address: PciAddress,
): { readonly record: RecordState; readonly reason: string } {
  try {
    return { record: readAttachment(host, address) === undefined ? "lost" : "another's", reason: "" };
  } catch (error) {
    if (!(error instanceof SriovError)) throw error;
    return { record: "unreadable", reason: error.message };
  }
}

function isFoundInside(
  host: Pick<Host, "namespaces" | "openNetlink">,
  vf: { readonly address: PciAddress; readonly interface: string },
  netns: NetnsHandle,
): boolean {
  using netlink = host.openNetlink(netns);
  return findLinkInside(host, netlink, netns, vf.address)?.name === vf.interface;
}
