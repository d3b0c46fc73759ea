// Carries out the plan of one VF under its lock: remembers what was there, writes, reads back.

import { LockTimeoutError, SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { type Attachment, ownerToken } from "../sriov/attachment.ts";
import { readAttachment } from "../sriov/attachment-store.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import { parseCpuMask } from "../sriov/cpu-mask.ts";
import { readVf } from "../sriov/inventory.ts";
import type { PinStep } from "../sriov/placement.ts";
import { readAffinity, writeAffinity } from "../sriov/vectors.ts";
import type { MaskStep } from "./mask-plan.ts";
import type { VfPlan } from "./node-plan.ts";
import { holdsVf } from "./node-state.ts";
import { describeProblem, type Problem, unsupported } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import { forgetFailedPins, rememberBefore } from "./remember.ts";
import type { ValueStep } from "./value-plan.ts";
import { maskFile, openVfQueues, type VfQueues } from "./vf-queues.ts";

/**
 * `stale`: the VF changed since it was looked at; `busy`: the CNI has its lock: nothing was written. `unsettled`: a pin reads
 * back differently, as when the interrupt was closed or moved at that moment. All three: look again soon.
 */
export interface VfOutcome {
  readonly result: "done" | "stale" | "busy" | "unsettled";
  /** MSI indexes of the interrupts that are pinned now. */
  readonly pinned: readonly number[];
  /** How many of them had been pinned to another CPU by tuning. */
  readonly moves: number;
  /** Queues whose masks were written: "rx-0", "tx-1". */
  readonly masks: readonly string[];
  /** Values that were written, by their path below the netdev's folder. */
  readonly values: readonly string[];
  readonly problems: readonly Problem[];
}

export type ApplyHost = Pick<Host, "files" | "paths" | "namespaces" | "locks" | "clock">;

/** Waits at most `lockTimeoutMs` for the lock, then works in one synchronous stretch. Failures are problems in the outcome. */
export async function applyVfPlan(
  host: ApplyHost,
  plan: VfPlan,
  options: { readonly refusals: Refusals; readonly lockTimeoutMs: number },
): Promise<VfOutcome> {
  const { vf } = plan.target;
  if ([plan.pins, plan.masks, plan.values].every((steps) => steps.length === 0)) return unchanged("done");
  try {
    using _lock = await host.locks.acquire(vf.address, { timeoutMs: options.lockTimeoutMs });
    const record = readUnchanged(host, plan);
    return record === undefined ? unchanged("stale") : applyLocked(host, plan, record, options.refusals);
  } catch (error) {
    if (error instanceof LockTimeoutError) return unchanged("busy");
    return { ...unchanged("done"), problems: [describeProblem(vf.address, "tuning", error)] };
  }
}

function applyLocked(host: ApplyHost, plan: VfPlan, record: Attachment, refusals: Refusals): VfOutcome {
  const { vf } = plan.target;
  const needsQueues = plan.masks.length + plan.values.length > 0;
  using queues = needsQueues ? openVfQueues(host, record) : undefined;
  const remembered = rememberBefore(host, plan, {
    masks: plan.masks.length === 0 ? [] : (queues?.read() ?? []),
    values: plan.values.length === 0 ? [] : (queues?.readValues() ?? []),
  });
  const failed = plan.pins.flatMap((pin) => {
    const problem = attempt(vf.address, `vector ${pin.msiIndex}`, () => writePin(host, plan, pin, refusals));
    return problem === undefined ? [] : [{ pin, problem }];
  });
  if (failed.length > 0)
    forgetFailedPins(
      host,
      remembered,
      failed.map(({ pin }) => pin.msiIndex),
    );
  const done = plan.pins.filter((pin) => failed.every((each) => each.pin !== pin));
  const masks = queues === undefined ? [] : plan.masks;
  const maskProblems = masks
    .map((step) => attempt(vf.address, step.queue, () => writeMask(plan, queues, step, refusals)))
    .filter((problem) => problem !== undefined);
  const failedQueues = new Set(maskProblems.map(({ about }) => about));
  const values = queues === undefined ? [] : plan.values;
  const valueProblems = values
    .map((step) => attempt(vf.address, step.path, () => writeValue(plan, queues, step, refusals)))
    .filter((problem) => problem !== undefined);
  return {
    result: failed.some(({ problem }) => problem.code === "PARTIAL") ? "unsettled" : "done",
    pinned: done.map(({ msiIndex }) => msiIndex),
    moves: done.filter((pin) => isMove(plan, pin)).length,
    masks: masks.map(({ queue }) => queue).filter((queue) => !failedQueues.has(queue)),
    values: values
      .map(({ path }) => path)
      .filter((path) => valueProblems.every(({ about }) => about !== path)),
    problems: [...failed.map(({ problem }) => problem), ...maskProblems, ...valueProblems],
  };
}

function isMove({ target }: VfPlan, { msiIndex, from, to }: PinStep): boolean {
  const before = target.saved?.vectors.find((vector) => vector.msiIndex === msiIndex)?.cpu;
  return before !== undefined && before !== to && from.length === 1 && from[0] === before;
}

/** The record, if it still is the one that was planned for, on the same VF with the same interrupts. */
function readUnchanged(host: ApplyHost, { target }: VfPlan): Attachment | undefined {
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

function writePin(
  host: ApplyHost,
  { target }: VfPlan,
  pin: PinStep,
  refusals: Refusals,
): Problem | undefined {
  const vector = target.vectors.find(({ msiIndex }) => msiIndex === pin.msiIndex);
  if (vector === undefined || (pin.from.length === 1 && pin.from[0] === pin.to)) return undefined;
  try {
    writeAffinity(host, vector.irq, `${pin.to}`);
  } catch (error) {
    if (error instanceof SystemCallError) refusals.addPin(pin.vf, vector, error.errno);
    throw error;
  }
  const got = readAffinity(host, vector.irq) ?? [];
  if (got.length === 1 && got[0] === pin.to) return undefined;
  const message = `pinned IRQ ${vector.irq} to CPU ${pin.to}, read back "${formatCpuList(got)}"`;
  return { vf: pin.vf, about: `vector ${pin.msiIndex}`, code: "PARTIAL", message };
}

function writeMask(
  { target }: VfPlan,
  queues: VfQueues | undefined,
  step: MaskStep,
  refusals: Refusals,
): Problem | undefined {
  if (queues === undefined) return undefined;
  let got: string;
  try {
    got = queues.write(step.queue, step.to);
  } catch (error) {
    refusals.addMask(target.vf.address, step);
    throw error;
  }
  if (parseCpuMask(got).join() === parseCpuMask(step.to).join()) return undefined;
  refusals.addMask(target.vf.address, { ...step, from: got });
  const message = `wrote ${maskFile(step.queue)} ${step.to} of ${step.queue}, the kernel kept ${got}`;
  return { vf: target.vf.address, about: step.queue, code: "PARTIAL", message };
}

function writeValue(
  { target }: VfPlan,
  queues: VfQueues | undefined,
  step: ValueStep,
  refusals: Refusals,
): Problem | undefined {
  const vf = target.vf.address;
  if (queues === undefined) return undefined;
  let got: string;
  try {
    got = queues.writeValue(step.path, step.to);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    refusals.addValue(vf, step);
    return unsupported(vf, step.path, error.message);
  }
  if (got === step.to) return undefined;
  refusals.addValue(vf, { ...step, from: got });
  return unsupported(vf, step.path, `wrote ${step.to}, the kernel kept ${got}`);
}

function attempt(vf: Problem["vf"], about: string, write: () => Problem | undefined): Problem | undefined {
  try {
    return write();
  } catch (error) {
    return describeProblem(vf, about, error);
  }
}

function unchanged(result: VfOutcome["result"]): VfOutcome {
  return { result, pinned: [], moves: 0, masks: [], values: [], problems: [] };
}
