// Whether a VF is in use by anybody, as a reason in words: what picking one without the kubelet goes by.

import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import { readHolders } from "../kubelet/device-holders.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { findSeenUser } from "../sriov/device-processes.ts";
import { RecordCorruptError, SriovError } from "../sriov/errors.ts";
import { judgeUnreadable } from "../sriov/gone-owners.ts";
import { isNetworkVf, isUserspaceVf, readVfBasics } from "../sriov/inventory.ts";
import { judgeOwner } from "../sriov/liveness.ts";
import { readOwnerFacts } from "../sriov/owner-facts.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import type { ProcessView } from "../sriov/processes.ts";
import { salvageRecord } from "../sriov/salvage-record.ts";
import { findHomeLink } from "../sriov/vf-locate.ts";
import { describeHolder, findUseOfNode } from "./claim.ts";
import { describeSriovCniPod } from "./sriov-cni-mark.ts";
import { describeLocation } from "./vf-elsewhere.ts";

/** Of VFs without a netdev: which driver one may have, and the processes of which one may have it open. */
export interface UserspaceView {
  readonly driver: string | undefined;
  readonly processes: ProcessView;
}

/** Who or what has the VF; `undefined` when it is free, also for one whose last owner is gone. The caller holds its lock. */
export function describeUse(
  host: Host,
  home: Netlink,
  address: PciAddress,
  { driver, processes }: UserspaceView,
): string | undefined {
  const record = readRecord(host, address);
  if (typeof record === "string") return record;
  if (record !== undefined) {
    const { state, reason } = judgeOwner(readOwnerFacts(host, record));
    return state === "alive" ? `${describeHolder(record)}; ${reason}` : undefined;
  }
  const vf = readVfBasics(host, address);
  if (vf === undefined) return "it vanished";
  if (isUserspaceVf(vf) && vf.driver === driver)
    return describeSriovCniPod(host, address) ?? findSeenUser(host, vf, processes);
  if (!isNetworkVf(vf))
    return vf.driver === undefined ? "it has no driver" : `it has the driver ${vf.driver}`;
  const link = findHomeLink(host, home, address);
  if (link === undefined) return describeLocation(host, address);
  const use = findUseOfNode(host, home, address, link);
  return use === undefined ? undefined : `the node itself uses it (${use})`;
}

// A file that is no record protects as far as it still tells whose it is; one of another format does in any case.
function readRecord(host: Host, address: PciAddress): Attachment | string | undefined {
  try {
    return readAttachment(host, address);
  } catch (error) {
    if (!(error instanceof SriovError)) throw error;
    if (!(error instanceof RecordCorruptError)) return error.message;
    const file = { address, error, salvaged: salvageRecord(host, address) };
    const { action, reason } = judgeUnreadable(host, file, (device) => readHolders(host, device));
    return action === "keep" ? reason : undefined;
  }
}
