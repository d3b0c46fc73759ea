// Announces the addresses of a VF that had no carrier yet when its pod started.

import { LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { announceAddresses } from "../sriov/announce.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import { readAttachment, writeAttachment } from "../sriov/attachment-store.ts";
import { parseCidr } from "../sriov/cidr.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";
import { describeProblem, type Problem } from "./problem.ts";
import { openRecordNetns } from "./record-netns.ts";

/** `waiting`: there is still no carrier, or the pod or its VF is gone; `busy`: the CNI has its lock; `failed`: see the problem. */
export interface AnnounceOutcome {
  readonly result: "announced" | "waiting" | "busy" | "failed";
  readonly problems: readonly Problem[];
}

export type AnnounceHost = Pick<Host, "files" | "paths" | "namespaces" | "locks" | "clock" | "openNetlink">;

/** Sends what is pending and marks the record, in one synchronous stretch under the VF's lock. */
export async function announcePending(
  host: AnnounceHost,
  record: Attachment,
  lockTimeoutMs: number,
): Promise<AnnounceOutcome> {
  const { address } = record.device;
  try {
    if (!hasCarrier(host, record)) return { result: "waiting", problems: [] };
    using _lock = await host.locks.acquire(address, { timeoutMs: lockTimeoutMs });
    return { result: announceLocked(host, record), problems: [] };
  } catch (error) {
    if (error instanceof LockTimeoutError) return { result: "busy", problems: [] };
    return { result: "failed", problems: [describeProblem(address, "announcement", error)] };
  }
}

/** Whether the VF is in the record's namespace and has a carrier there. */
function hasCarrier(host: AnnounceHost, record: Attachment): boolean {
  using netns = openRecordNetns(host, record);
  if (netns === undefined) return false;
  using inside = host.openNetlink(netns);
  return findLinkInside(host, inside, netns, record.device.address)?.hasCarrier === true;
}

function announceLocked(host: AnnounceHost, seen: Attachment): "announced" | "waiting" {
  const record = readAttachment(host, seen.device.address);
  if (record === undefined || !isSamePending(record, seen)) return "waiting";
  using netns = openRecordNetns(host, record);
  if (netns === undefined) return "waiting";
  using inside = host.openNetlink(netns);
  const link = findLinkInside(host, inside, netns, record.device.address);
  if (link?.hasCarrier !== true) return "waiting";
  const addresses = record.applied.addresses.map(parseCidr).filter((cidr) => cidr !== undefined);
  announceAddresses(host, netns, link, addresses);
  writeAttachment(host, { ...record, announce: "done" });
  return "announced";
}

function isSamePending(record: Attachment, seen: Attachment): boolean {
  return (
    record.state === "attached" &&
    record.announce === "pending" &&
    record.owner.cookie === seen.owner.cookie &&
    ownerToken(record.owner) === ownerToken(seen.owner)
  );
}
