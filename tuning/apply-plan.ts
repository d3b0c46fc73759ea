// Carries out the plan of one VF under its lock: remembers what was there, writes, reads back.

import { LockTimeoutError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { readVf } from "../sriov/inventory.ts";
import type { PinStep } from "../sriov/placement.ts";
import { holdsVf } from "./held-vfs.ts";
import type { VfPlan } from "./node-plan.ts";
import { describeProblem, type Problem } from "./problem.ts";
import { forgetRefusedPins, rememberBefore } from "./remember.ts";
import { type StepMemory, StepWriter } from "./step-writer.ts";
import { openVfQueues } from "./vf-queues.ts";

/**
 * `stale`: the VF changed since it was looked at; `busy`: the CNI has its lock: nothing was written. `unsettled`: a pin reads
 * back differently, as when the interrupt was closed or moved at that moment, or its CPU is full. All three: look again soon.
 */
export interface VfOutcome {
  readonly result: "done" | "stale" | "busy" | "unsettled";
  /** MSI indexes of the interrupts that are pinned now. */
  readonly pinned: readonly number[];
  /** Of those that were written, and read back on other CPUs: somebody was quicker. */
  readonly lost: readonly number[];
  /** How many of them had been pinned to another CPU by tuning. */
  readonly moves: number;
  /** Queues whose masks were written: "rx-0", "tx-1". */
  readonly masks: readonly string[];
  /** Values that were written, by their path below the netdev's folder. */
  readonly values: readonly string[];
  /** Threads that were pinned, by their names. */
  readonly threads: readonly string[];
  readonly problems: readonly Problem[];
}

export type ApplyHost = Pick<Host, "files" | "paths" | "namespaces" | "locks" | "clock" | "threads">;

/** Waits at most `lockTimeoutMs` for the lock, then works in one synchronous stretch. Failures are problems in the outcome. */
export async function applyVfPlan(
  host: ApplyHost,
  plan: VfPlan,
  options: { readonly memory: StepMemory; readonly lockTimeoutMs: number },
): Promise<VfOutcome> {
  const { vf } = plan.target;
  if ([plan.pins, plan.masks, plan.values, plan.threads].every((steps) => steps.length === 0))
    return unchanged("done");
  try {
    using _lock = await host.locks.acquire(vf.address, { timeoutMs: options.lockTimeoutMs });
    const record = readUnchanged(host, plan);
    return record === undefined ? unchanged("stale") : applyLocked(host, plan, record, options.memory);
  } catch (error) {
    if (error instanceof LockTimeoutError) return unchanged("busy");
    return { ...unchanged("done"), problems: [describeProblem(vf.address, "tuning", error)] };
  }
}

function applyLocked(host: ApplyHost, plan: VfPlan, record: Attachment, memory: StepMemory): VfOutcome {
  const { vf } = plan.target;
  const needsQueues = plan.masks.length + plan.values.length > 0;
  using queues = needsQueues ? openVfQueues(host, record) : undefined;
  const remembered = rememberBefore(host, plan, {
    masks: plan.masks.length === 0 ? [] : (queues?.read() ?? []),
    values: plan.values.length === 0 ? [] : (queues?.readValues() ?? []),
  });
  const writer = new StepWriter(host, vf.address, memory);
  const pins = writeEach(plan.pins, (pin) => writer.pin(plan.target, pin));
  const [lost, refused] = split(pins.failed, ({ problem }) => problem.code === "PARTIAL");
  if (refused.length > 0)
    forgetRefusedPins(
      host,
      remembered,
      refused.map(({ step }) => step.msiIndex),
    );
  const masks = writeEach(queues === undefined ? [] : plan.masks, (step) => writer.mask(queues, step));
  const values = writeEach(queues === undefined ? [] : plan.values, (step) => writer.value(queues, step));
  const threads = writeEach(plan.threads, (step) => writer.thread(step));
  // The kernel starts the threads with it: they are to be pinned then.
  const hasNewThreads = values.done.some(({ path }) => path === "threaded");
  const isUnsettled = hasNewThreads || pins.problems.some(({ code }) => ["PARTIAL", "ENOSPC"].includes(code));
  return {
    result: isUnsettled ? "unsettled" : "done",
    pinned: pins.done.map(({ msiIndex }) => msiIndex),
    lost: lost.map(({ step }) => step.msiIndex).filter((msiIndex) => hasHandler(plan, msiIndex)),
    moves: pins.done.filter((pin) => isMove(plan, pin)).length,
    masks: masks.done.map(({ queue }) => queue),
    values: values.done.map(({ path }) => path),
    threads: threads.done.map(({ name }) => name),
    problems: [pins, masks, values, threads].flatMap(({ problems }) => problems),
  };
}

/** Carries each step out; what goes wrong with one keeps no other from being done. */
function writeEach<Step>(
  steps: readonly Step[],
  write: (step: Step) => Problem | undefined,
): {
  readonly done: readonly Step[];
  readonly failed: readonly { readonly step: Step; readonly problem: Problem }[];
  readonly problems: readonly Problem[];
} {
  const written = steps.map((step) => ({ step, problem: write(step) }));
  return {
    done: written.flatMap(({ step, problem }) => (problem === undefined ? [step] : [])),
    failed: written.flatMap(({ step, problem }) => (problem === undefined ? [] : [{ step, problem }])),
    problems: written.flatMap(({ problem }) => problem ?? []),
  };
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [readonly T[], readonly T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

/** Without one, a change of before that waits may hide what was written: see ERR_AFFINITY_PENDING. */
function hasHandler({ target }: VfPlan, msiIndex: number): boolean {
  return target.vectors.some((vector) => vector.msiIndex === msiIndex && vector.action !== undefined);
}

function isMove({ target }: VfPlan, { msiIndex, from, to }: PinStep): boolean {
  const before = target.saved?.vectors.find((vector) => vector.msiIndex === msiIndex)?.cpu;
  return before !== undefined && before !== to && from.length === 1 && from[0] === before;
}

/** The record, if it still is the one that was planned for, on the same VF with the same interrupts. */
export function readUnchanged(
  host: Pick<Host, "files" | "paths" | "clock">,
  { target }: Pick<VfPlan, "target">,
): Attachment | undefined {
  const record = readAttachment(host, target.vf.address);
  const vf = readVf(host, target.vf.address);
  if (record === undefined || vf === undefined || record.state !== "attached") return undefined;
  const isSame =
    ownerToken(record.owner) === ownerToken(target.record.owner) &&
    record.owner.cookie === target.record.owner.cookie &&
    holdsVf(host, record, vf) &&
    vf.inode === target.vf.inode &&
    vf.irqs.join() === target.vf.irqs.join();
  return isSame ? record : undefined;
}

function unchanged(result: VfOutcome["result"]): VfOutcome {
  return { result, pinned: [], lost: [], moves: 0, masks: [], values: [], threads: [], problems: [] };
}
