// Saves what was there before the first write, so that it can be put back after a crash, a restart or an upgrade too.

import type { Host } from "../host/host.ts";
import { ownerToken } from "../sriov/attachment.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import {
  formatTuningRecord,
  type TunedThread,
  type TunedVector,
  type TuningRecord,
  TuningRecordError,
} from "../sriov/tuning-record.ts";
import {
  quarantineTuningRecord,
  readTuningRecordOf,
  removeTuningRecord,
  writeTuningRecord,
} from "../sriov/tuning-store.ts";
import { readAffinity } from "../sriov/vectors.ts";
import { readNapiThread } from "./napi-threads.ts";
import type { VfPlan } from "./node-plan.ts";
import type { TunedVf } from "./node-state.ts";
import type { NetdevValue, QueueMask } from "./vf-queues.ts";

type Store = Pick<Host, "files" | "paths" | "clock">;

/** What the VF's queues and netdev have now. */
export interface Seen {
  readonly masks: readonly QueueMask[];
  readonly values: readonly NetdevValue[];
}

/** The record before and after; `after` is on disk. */
export interface Remembered {
  readonly before: TuningRecord | undefined;
  readonly after: TuningRecord;
}

/**
 * Writes the VF's tuning record with the plan's pins, and with the present affinities, masks and values of what it did not know
 * yet: what is known already is never overwritten. Call it under the VF's lock, before the first write.
 */
export function rememberBefore(host: Store, plan: VfPlan, seen: Seen): Remembered {
  const { vf, record } = plan.target;
  const before = readOrQuarantine(host, vf);
  // A pod may steer what it sends by itself, where tuning does not.
  const isOurs = ({ queue }: QueueMask): boolean =>
    queue.startsWith("rx-") || plan.masks.some((step) => step.queue === queue);
  const owner = ownerToken(record.owner);
  const changed = seen.values.filter(({ path }) => plan.values.some((step) => step.path === path));
  const after: TuningRecord = {
    address: vf.address,
    bootId: host.clock.bootId(),
    inode: String(vf.inode),
    vectors: rememberVectors(host, plan, before?.vectors ?? []),
    masks: rememberMasks(owner, before?.masks, seen.masks.filter(isOurs)),
    values: rememberValues(owner, before?.values, changed),
    channels: before?.channels,
    threads: rememberThreads(host, plan, before?.threads ?? []),
  };
  if (before === undefined || formatTuningRecord(before) !== formatTuningRecord(after))
    writeTuningRecord(host, after);
  return { before, after };
}

/** Takes pins that were refused out of the record again: what could not be changed needs no putting back. */
export function forgetRefusedPins(
  host: Store,
  { before, after }: Remembered,
  refused: readonly number[],
): void {
  const vectors = after.vectors.flatMap((vector) => {
    if (!refused.includes(vector.msiIndex)) return [vector];
    return before?.vectors.find(({ msiIndex }) => msiIndex === vector.msiIndex) ?? [];
  });
  if (vectors.length === 0 && !isWorthKeeping(after)) removeTuningRecord(host, after.address);
  else writeTuningRecord(host, { ...after, vectors });
}

/** The VF's tuning record as it is now; one that can't be read is moved aside. Call it under the VF's lock. */
export function readOrQuarantine(host: Store, vf: TunedVf["vf"]): TuningRecord | undefined {
  try {
    return readTuningRecordOf(host, vf);
  } catch (error) {
    if (!(error instanceof TuningRecordError)) throw error;
    quarantineTuningRecord(host, vf.address);
    return undefined;
  }
}

/** Whether it has something to put back besides vectors. */
export function isWorthKeeping({ masks, values, channels, threads }: TuningRecord): boolean {
  return [masks, values, channels, threads].some((each) => each !== undefined);
}

function rememberVectors(host: Store, plan: VfPlan, known: readonly TunedVector[]): readonly TunedVector[] {
  const fresh = plan.target.vectors.flatMap(({ msiIndex, irq }): readonly TunedVector[] => {
    const pin = plan.pins.find((step) => step.msiIndex === msiIndex);
    const original =
      known.find((vector) => vector.msiIndex === msiIndex)?.original ?? readOriginal(host, irq);
    if (pin === undefined || original === undefined) return [];
    return [
      { msiIndex, original, cpu: pin.to, ...(plan.mailboxes.has(msiIndex) ? { isMailbox: true } : {}) },
    ];
  });
  const others = known.filter(({ msiIndex }) => fresh.every((vector) => vector.msiIndex !== msiIndex));
  return [...fresh, ...others].toSorted((a, b) => a.msiIndex - b.msiIndex);
}

function readOriginal(host: Store, irq: number): string | undefined {
  const affinity = readAffinity(host, irq);
  return affinity === undefined ? undefined : formatCpuList(affinity);
}

function rememberMasks(
  owner: string,
  before: TuningRecord["masks"],
  masks: readonly QueueMask[],
): TuningRecord["masks"] {
  const known = before?.owner === owner ? before.queues : [];
  const fresh = masks.filter(({ queue }) => known.every((each) => each.queue !== queue));
  const queues = [...known, ...fresh.map(({ queue, text }) => ({ queue, original: text }))];
  return queues.length === 0 ? undefined : { owner, queues };
}

function rememberValues(
  owner: string,
  before: TuningRecord["values"],
  values: readonly NetdevValue[],
): TuningRecord["values"] {
  const known = before?.owner === owner ? before.originals : [];
  const fresh = values.filter(({ path }) => known.every((each) => each.path !== path));
  const originals = [...known, ...fresh.map(({ path, text }) => ({ path, original: text }))];
  return originals.length === 0 ? undefined : { owner, originals };
}

function rememberThreads(
  host: Store,
  { threads }: VfPlan,
  known: readonly TunedThread[],
): TuningRecord["threads"] {
  const alive = known.filter(({ pid, name }) => readNapiThread(host, pid)?.name === name);
  const fresh = threads.filter(({ name }) => alive.every((each) => each.name !== name));
  const all = [
    ...alive,
    ...fresh.map(({ pid, name, from }) => ({ pid, name, original: formatCpuList(from) })),
  ];
  return all.length === 0 ? undefined : all;
}
