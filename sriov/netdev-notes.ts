// Puts back what tuning noted about a VF's netdev and no attachment record knows, when the VF is on the host again.

import type { Host } from "../host/host.ts";
import { type Attachment, ownerToken } from "./attachment.ts";
import type { VirtualFunction } from "./inventory.ts";
import { applyLinkSizes } from "./link-sizes.ts";
import { ownSysfs } from "./queue-masks.ts";
import { readAttribute } from "./sysfs.ts";
import { isRecordOf, type TuningRecord, TuningRecordError } from "./tuning-record.ts";
import { readTuningRecord } from "./tuning-store.ts";

/** Values of `netdev` as they were before that owner. Those of its queues are in the attachment record, which knows them better. */
export function restoreNotedValues(
  host: Pick<Host, "files" | "paths" | "clock">,
  {
    vf,
    netdev,
    owner,
  }: {
    readonly vf: VirtualFunction;
    readonly netdev: string;
    readonly owner: Attachment["owner"] | undefined;
  },
): void {
  const values = readNotes(host, vf, owner)?.values;
  if (owner === undefined || values?.owner !== ownerToken(owner)) return;
  const sysfs = ownSysfs(host);
  for (const { path, original } of values.originals.filter((value) => !value.path.startsWith("queues/"))) {
    const at = `class/net/${netdev}/${path}`;
    const now = readAttribute(sysfs, at);
    if (now !== undefined && now !== original) sysfs.writeText(at, original);
  }
}

/** What tuning noted for this `owner` of the VF, if anything. An unreadable record is tuning's to move aside. */
/** Channels as they were before that owner, where tuning changed them. Throws ERR_VF_READ_BACK, NetlinkError. */
export function restoreNotedChannels(
  host: Pick<Host, "files" | "paths" | "clock" | "openEthtool">,
  {
    vf,
    index,
    owner,
  }: {
    readonly vf: VirtualFunction;
    readonly index: number;
    readonly owner: Attachment["owner"] | undefined;
  },
): void {
  const channels = readNotes(host, vf, owner)?.channels;
  if (owner === undefined || channels?.owner !== ownerToken(owner)) return;
  using ethtool = host.openEthtool();
  applyLinkSizes(ethtool, index, { channels: channels.original });
}

function readNotes(
  host: Pick<Host, "files" | "paths" | "clock">,
  vf: VirtualFunction,
  owner: Attachment["owner"] | undefined,
): TuningRecord | undefined {
  try {
    const saved = readTuningRecord(host, vf.address);
    if (saved === undefined || owner === undefined || !isRecordOf(saved, vf, host.clock.bootId()))
      return undefined;
    return saved;
  } catch (error) {
    if (error instanceof TuningRecordError) return undefined;
    throw error;
  }
}
