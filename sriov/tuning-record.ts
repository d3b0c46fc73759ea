// What tuning changed on a VF and what was there before, and its form on disk. Where it lies: tuning-store.ts.

import * as v from "valibot";

import { parseCpuList } from "./cpu-list.ts";
import { parseCpuMask } from "./cpu-mask.ts";
import { CpuSetError, SriovError } from "./errors.ts";
import type { PciAddress } from "./pci-address.ts";
import { makeOnce } from "./make-once.ts";
import { firstFormat } from "./state-file.ts";

/** `original`: smp_affinity_list before the first write; `cpu`: where tuning pinned the vector. */
export interface TunedVector {
  readonly msiIndex: number;
  readonly original: string;
  readonly cpu: number;
  /** It serves no queue. */
  readonly isMailbox?: boolean | undefined;
}

/** `original`: rps_cpus ("rx-0") or xps_cpus ("tx-0") of the queue's folder as the kernel printed it before the first write for this owner. */
export interface TunedQueue {
  readonly queue: string;
  readonly original: string;
}

/** `original`: what the file at `path`, below the netdev's folder, had before the first write for this owner. */
export interface TunedValue {
  readonly path: string;
  readonly original: string;
}

/** A kernel thread of the VF's NAPI; `original`: CPUs that it might run on before tuning pinned it, in the kernel's list format. */
export interface TunedThread {
  readonly pid: number;
  /** Tells it from another one that has its pid by now: the ids in such names are not used again before the next boot. */
  readonly name: string;
  readonly original: string;
}

/** Channels by kind. `original`: before the first change for this owner; `isSet`: they were all set, and are not set again. */
export interface TunedChannels {
  readonly owner: string;
  readonly original: Readonly<Record<string, number>>;
  readonly to: Readonly<Record<string, number>>;
  readonly isSet: boolean;
}

/**
 * Valid for one VF of one boot: `bootId`, and `inode` of the PCI device directory, decimal. Vectors are kept from owner
 * to owner until they are put back; masks and values belong to one `owner` (the owner token of its attachment).
 */
export interface TuningRecord {
  readonly address: PciAddress;
  readonly bootId: string;
  readonly inode: string;
  readonly vectors: readonly TunedVector[];
  readonly masks?: { readonly owner: string; readonly queues: readonly TunedQueue[] } | undefined;
  readonly channels?: TunedChannels | undefined;
  readonly threads?: readonly TunedThread[] | undefined;
  readonly values?: { readonly owner: string; readonly originals: readonly TunedValue[] } | undefined;
}

/** A tuning record is empty, no JSON, of another major format, or lacks a field. */
export class TuningRecordError extends SriovError {
  readonly code = "ERR_TUNING_RECORD";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(
      `reading the tuning record ${path}: ${problem}; it is moved aside, and the VF's interrupts stay as they are`,
      options,
    );
  }
}

const schema = makeOnce(() => {
  const count = v.pipe(v.number(), v.integer(), v.minValue(0));
  const cpuList = v.pipe(
    v.string(),
    v.check((text) => isReadable(parseCpuList, text), "expected a list of CPUs like 0-3,8"),
  );
  const cpuMask = v.pipe(
    v.string(),
    v.check((text) => isReadable(parseCpuMask, text), "expected a mask of CPUs like ff,00000000"),
  );
  const valuePath = v.pipe(v.string(), v.regex(/^(?:threaded|queues\/rx-\d+\/rps_flow_cnt)$/));
  const channelCounts = v.record(v.picklist(["rx", "tx", "combined"]), count);
  return v.object({
    format: firstFormat,
    bootId: v.string(),
    inode: v.string(),
    vectors: v.array(
      v.object({
        msiIndex: count,
        original: cpuList,
        cpu: count,
        isMailbox: v.optional(v.boolean()),
      }),
    ),
    masks: v.optional(
      v.object({
        owner: v.string(),
        queues: v.array(v.object({ queue: v.pipe(v.string(), v.regex(/^rx-\d+$/)), original: cpuMask })),
        // Since 1.1, apart from the others: 1.0 takes no "tx-0" among them.
        txQueues: v.optional(
          v.array(v.object({ queue: v.pipe(v.string(), v.regex(/^tx-\d+$/)), original: cpuMask })),
          [],
        ),
      }),
    ),
    // Since 1.2.
    values: v.optional(
      v.object({
        owner: v.string(),
        originals: v.array(v.object({ path: valuePath, original: v.string() })),
      }),
    ),
    channels: v.optional(
      v.object({ owner: v.string(), original: channelCounts, to: channelCounts, isSet: v.boolean() }),
    ),
    threads: v.optional(
      v.array(v.object({ pid: count, name: v.pipe(v.string(), v.startsWith("napi/")), original: cpuList })),
    ),
  });
});

/** The record in `json`, read from `path`; any minor of format 1 is read. Throws ERR_TUNING_RECORD with every problem. */
export function parseTuningRecord(json: string, address: PciAddress, path: string): TuningRecord {
  const parsed = v.safeParse(schema(), parseJson(json, path));
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "record"}: ${issue.message}`);
    throw new TuningRecordError(path, problems.join("; "));
  }
  const { bootId, inode, vectors, masks, values, channels, threads } = parsed.output;
  const all = masks && { owner: masks.owner, queues: [...masks.queues, ...masks.txQueues] };
  return { address, bootId, inode, vectors, masks: all, values, channels, threads };
}

/** JSON text of a record, format 1.2. */
export function formatTuningRecord({
  bootId,
  inode,
  vectors,
  masks,
  values,
  channels,
  threads,
}: TuningRecord): string {
  const parts = masks && {
    owner: masks.owner,
    queues: masks.queues.filter((queue) => !isTx(queue)),
    txQueues: masks.queues.filter(isTx),
  };
  const record = { format: "1.2", bootId, inode, vectors, masks: parts, values, channels, threads };
  return `${JSON.stringify(record, undefined, 1)}\n`;
}

/** Whether the record is about this very VF: of this boot, and not of an earlier VF at the same address. */
export function isRecordOf(
  record: TuningRecord,
  vf: { readonly address: PciAddress; readonly inode: bigint },
  bootId: string,
): boolean {
  return record.address === vf.address && record.bootId === bootId && record.inode === String(vf.inode);
}

function isTx({ queue }: TunedQueue): boolean {
  return queue.startsWith("tx-");
}

function isReadable(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (error instanceof CpuSetError) return false;
    throw error;
  }
}

function parseJson(json: string, path: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new TuningRecordError(path, json.trim() === "" ? "it is empty" : "it is not JSON", { cause });
  }
}
