// Puts back what tuning noted about a VF's netdev and no attachment record knows, when the VF is on the host again.

import type { Host } from "../host/host.ts";
import { type Attachment, ownerToken } from "./attachment.ts";
import type { VirtualFunction } from "./inventory.ts";
import { applyLinkSizes } from "./link-sizes.ts";
import { ownSysfs } from "./queue-masks.ts";
import { readAttribute, writeAttribute } from "./sysfs.ts";
import {
  type TunedChannels,
  type TunedValue,
  type TuningRecord,
  TuningRecordError,
} from "./tuning-record.ts";
import { readTuningRecordOf } from "./tuning-store.ts";

/** As they were before the pod that had the VF. */
export interface NetdevNotes {
  readonly values: readonly TunedValue[];
  readonly channels: TunedChannels["original"] | undefined;
}

/** What tuning noted for this `owner` of the VF, if anything. An unreadable record is tuning's to move aside. */
export function readNetdevNotes(
  host: Pick<Host, "files" | "paths" | "clock">,
  vf: Pick<VirtualFunction, "address" | "inode">,
  owner: Attachment["owner"] | undefined,
): NetdevNotes {
  if (owner === undefined) return { values: [], channels: undefined };
  const { values, channels } = readRecord(host, vf) ?? {};
  const token = ownerToken(owner);
  return {
    values: values?.owner === token ? values.originals : [],
    channels: channels?.owner === token ? channels.original : undefined,
  };
}

/** Channels of the link `index`. Throws ERR_VF_READ_BACK, NetlinkError. */
export function restoreNotedChannels(
  host: Pick<Host, "openEthtool">,
  index: number,
  { channels }: NetdevNotes,
): void {
  if (channels === undefined) return;
  using ethtool = host.openEthtool();
  applyLinkSizes(ethtool, index, { channels });
}

/** Values of `netdev`, unless it refuses them while it is down: that keeps no pod from ending. Those of its queues are in the attachment record, which knows them better. */
export function restoreNotedValues(
  host: Pick<Host, "files" | "paths">,
  netdev: string,
  { values }: NetdevNotes,
): void {
  const sysfs = ownSysfs(host);
  for (const { path, original } of values.filter((value) => !value.path.startsWith("queues/"))) {
    const at = `class/net/${netdev}/${path}`;
    const now = readAttribute(sysfs, at);
    if (now !== undefined && now !== original) writeAttribute(sysfs, at, original);
  }
}

function readRecord(
  host: Pick<Host, "files" | "paths" | "clock">,
  vf: Pick<VirtualFunction, "address" | "inode">,
): TuningRecord | undefined {
  try {
    return readTuningRecordOf(host, vf);
  } catch (error) {
    if (error instanceof TuningRecordError) return undefined;
    throw error;
  }
}
