// The interrupts that tuning has pinned, as its records and the machine tell: what irqbalance is to leave alone.

import type { Host } from "../../host/host.ts";
import { createTunableVfReader } from "../../sriov/inventory.ts";
import { isRecordOf, TuningRecordError } from "../../sriov/tuning-record.ts";
import { listTuningRecords, readTuningRecord } from "../../sriov/tuning-store.ts";

/** IRQ numbers, ascending. A record that can't be read has none: it is moved aside by the pass that needs it. */
export function listPinnedIrqs(host: Pick<Host, "files" | "paths" | "clock">): readonly number[] {
  const bootId = host.clock.bootId();
  const readVf = createTunableVfReader(host);
  const irqs = listTuningRecords(host).flatMap((address) => {
    const vf = readVf(address);
    const record = vf === undefined ? undefined : readOrNone(() => readTuningRecord(host, address));
    if (vf === undefined || record === undefined || !isRecordOf(record, vf, bootId)) return [];
    return record.vectors.flatMap(({ msiIndex }) => vf.irqs[msiIndex] ?? []);
  });
  return [...new Set(irqs)].toSorted((a, b) => a - b);
}

function readOrNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TuningRecordError) return undefined;
    throw error;
  }
}
