// The tuning records on disk: one file per VF that tuning changed, written whole or not at all.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import type { VirtualFunction } from "./inventory.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";
import { formatTuningRecord, isRecordOf, parseTuningRecord, type TuningRecord } from "./tuning-record.ts";

type Store = Pick<Host, "files" | "paths">;

const suffix = ".json";

/** The record of a VF; `undefined` when tuning changed nothing there. Throws ERR_TUNING_RECORD. */
export function readTuningRecord(
  host: Store,
  address: PciAddress,
  parse = parseTuningRecord,
): TuningRecord | undefined {
  const path = recordPath(host, address);
  const text = host.files.readText(path);
  return text === undefined ? undefined : parse(text, address, path);
}

/** The record of this very VF of this boot, if there is one. Throws ERR_TUNING_RECORD. */
export function readTuningRecordOf(
  host: Store & Pick<Host, "clock">,
  vf: Pick<VirtualFunction, "address" | "inode">,
  parse = parseTuningRecord,
): TuningRecord | undefined {
  const saved = readTuningRecord(host, vf.address, parse);
  return saved !== undefined && isRecordOf(saved, vf, host.clock.bootId()) ? saved : undefined;
}

/** The VFs that have a record, readable or not. */
export function listTuningRecords(host: Store): readonly PciAddress[] {
  return (host.files.list(host.paths.tuningState) ?? [])
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .filter((name) => isPciAddress(name));
}

/** Writes a record as a whole: a reader sees the old one or the new one. */
export function writeTuningRecord(host: Store, record: TuningRecord): void {
  host.files.writeAtomic(recordPath(host, record.address), formatTuningRecord(record));
}

/** Removes a record; nothing happens when there is none. */
export function removeTuningRecord(host: Store, address: PciAddress): void {
  host.files.remove(recordPath(host, address));
}

/** Moves a record aside, whatever is in it, and gives its new path. */
export function quarantineTuningRecord(host: Store & Pick<Host, "clock">, address: PciAddress): string {
  const aside = join(host.paths.quarantine, `tuning-${address}-${host.clock.nowMs()}${suffix}`);
  host.files.makeFolder(host.paths.quarantine, 0o700);
  host.files.rename(recordPath(host, address), aside);
  return aside;
}

function recordPath(host: Store, address: PciAddress): string {
  return join(host.paths.tuningState, `${address}${suffix}`);
}
