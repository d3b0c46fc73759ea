// What each interrupt of a VF is, where it comes, and where it shall be: for people and programs.

import { formatCpuList } from "../sriov/cpu-list.ts";
import { type InterruptCounts, sumCounts } from "../sriov/interrupt-counts.ts";
import { type InterruptRates, isPinConfirmed } from "../sriov/interrupt-rates.ts";
import { formatVectorRole } from "../sriov/irq-role.ts";
import type { Vector } from "../sriov/vectors.ts";
import type { VfPlan } from "./node-plan.ts";
import { listQueueVectors } from "./pin-plan.ts";

/** CPU sets in the kernel's list format; `cpu` is where the vector shall be, absent where it is left alone. */
export interface VectorReport {
  readonly msiIndex: number;
  readonly irq: number;
  readonly role: string;
  readonly affinity: string | undefined;
  readonly effective: string;
  /** How often it came since it was requested, on any CPU. */
  readonly count: number;
  /** While it was watched, where it was: how often it came, and on which CPUs. */
  readonly perSecond: number | undefined;
  readonly cameOn: string | undefined;
  readonly cpu: number | undefined;
  readonly step: "pin" | "keep" | "leave" | "wait" | "fixed" | "contested";
  /** Of one that is kept on its CPU: whether it comes there and nowhere else. */
  readonly isConfirmed: boolean | undefined;
}

/** `rates` is absent where nobody waited for them. */
export interface InterruptReadings {
  readonly counts: InterruptCounts;
  readonly rates?: InterruptRates;
}

export function describeVectors(plan: VfPlan, { counts, rates }: InterruptReadings): readonly VectorReport[] {
  const { target, pins, cpus, mailboxes, resting } = plan;
  const queues = new Set(listQueueVectors(target).map(({ msiIndex }) => msiIndex));
  const steps = new Set(pins.map(({ msiIndex }) => msiIndex));
  return target.vectors.map((vector): VectorReport => {
    const { msiIndex, irq, effective } = vector;
    const isOurs = target.candidates.policy !== "none" && (queues.has(msiIndex) || mailboxes.has(msiIndex));
    const step = resting.includes(msiIndex) ? "contested" : describeStep(vector, isOurs, steps.has(msiIndex));
    const rate = rates?.get(irq);
    const cpu = cpus.get(msiIndex) ?? mailboxes.get(msiIndex);
    return {
      msiIndex,
      irq,
      role: formatVectorRole(vector.role),
      affinity: vector.affinity === undefined ? undefined : formatCpuList(vector.affinity),
      effective: formatCpuList(effective),
      count: sumCounts(counts, irq),
      perSecond: rates === undefined ? undefined : (rate?.perSecond ?? 0),
      cameOn: rates === undefined ? undefined : formatCpuList(rate?.cpus ?? []),
      cpu,
      step,
      isConfirmed:
        step === "keep" && cpu !== undefined ? isPinConfirmed(cpu, { rate, effective }) : undefined,
    };
  });
}

function describeStep(vector: Vector, isOurs: boolean, isPinned: boolean): VectorReport["step"] {
  if (isPinned) return "pin";
  if (!isOurs) return vector.role === undefined && vector.action === undefined ? "wait" : "leave";
  if (vector.affinity === undefined) return "wait";
  return vector.isManaged || vector.affinity.length !== 1 ? "fixed" : "keep";
}
