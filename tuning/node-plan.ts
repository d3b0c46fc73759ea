// What one pass changes: pins over all VFs together, then the masks that follow from them.

import type { PinStep } from "../sriov/placement.ts";
import type { IrqId } from "../sriov/placement-model.ts";
import type { CpuTopology } from "../sriov/topology.ts";
import { isDue, planMailboxes } from "./mailbox-plan.ts";
import { type MaskStep, planMasks } from "./mask-plan.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import {
  hasLostVectors,
  listQueueVectors,
  only,
  planPins,
  type PlanMemory,
  rememberedCpu,
} from "./pin-plan.ts";
import type { Problem } from "./problem.ts";
import { planThreads, type ThreadStep } from "./thread-plan.ts";
import { planValues, type ValueStep } from "./value-plan.ts";

export interface VfPlan {
  readonly target: TunedVf;
  readonly pins: readonly PinStep[];
  readonly masks: readonly MaskStep[];
  readonly values: readonly ValueStep[];
  readonly threads: readonly ThreadStep[];
  /** Where each queue vector is once the plan is carried out, or shall be after its rest, by MSI index. */
  readonly cpus: ReadonlyMap<number, number>;
  /** CPUs of the vectors that serve no queue and are pinned all the same, by MSI index. */
  readonly mailboxes: ReadonlyMap<number, number>;
  /** The driver has not registered the handlers yet (it does when the link goes up): look again soon. */
  readonly isWaiting: boolean;
  /** What is asked for and can't be done. */
  readonly problems: readonly Problem[];
  /** MSI indexes of interrupts that are left alone because something undoes their pins. */
  readonly resting: readonly number[];
}

/** The plan for each attached VF, in PCI order; without steps where nothing differs. `memory`: what is not to be tried. */
export function planNode(state: NodeState, memory: PlanMemory): readonly VfPlan[] {
  const queues = planPins(state, memory);
  const mailboxes = planMailboxes(state, memory);
  const unplaced = [...queues.unplaced, ...mailboxes.unplaced];
  return state.vfs.map((target) => {
    const isOwn = ({ vf }: IrqId): boolean => vf === target.vf.address;
    const plan = planVf(state.facts.topology, target, queues.steps.filter(isOwn), memory);
    const full = unplaced.filter(isOwn).map((irq) => memory.fullCpus.problemOf(irq));
    return withMailboxes({ ...plan, problems: [...plan.problems, ...full] }, mailboxes.steps.filter(isOwn));
  });
}

function planVf(
  topology: CpuTopology,
  target: TunedVf,
  pins: readonly PinStep[],
  { refusals, contests }: PlanMemory,
): VfPlan {
  if (target.candidates.policy === "none")
    return {
      target,
      pins: [],
      masks: [],
      values: [],
      threads: [],
      cpus: new Map(),
      mailboxes: new Map(),
      isWaiting: false,
      problems: [],
      resting: [],
    };
  const queues = listQueueVectors(target);
  const resting = target.vectors
    .map(({ msiIndex }) => msiIndex)
    .filter((msiIndex) => contests.isResting(target.vf.address, msiIndex));
  const cpus = new Map(
    queues.flatMap(({ msiIndex, affinity }) => {
      const kept = resting.includes(msiIndex) ? rememberedCpu(target, { msiIndex }) : only(affinity);
      const cpu = pins.find((pin) => pin.msiIndex === msiIndex)?.to ?? kept;
      return cpu === undefined ? [] : [[msiIndex, cpu] as const];
    }),
  );
  const isWaiting =
    queues.some(({ affinity }) => affinity === undefined) ||
    (queues.length === 0 &&
      target.vectors.some(({ role, action }) => role === undefined && action === undefined)) ||
    hasLostVectors(target);
  // While the interface is down it can't be told whose interrupt is whose: what is there stays.
  const hasUntold = queues.some(({ role }) => role === undefined);
  const masks =
    isWaiting || hasUntold ? { steps: [], problems: [] } : planMasks(topology, target, cpus, refusals);
  const values = planValues(target, refusals);
  const threads = planThreads(target, isWaiting ? new Map() : cpus, refusals);
  return {
    target,
    pins,
    masks: masks.steps,
    values: values.steps,
    threads: threads.steps,
    problems: [
      ...findUntold(target),
      ...target.vectors.flatMap((vector) => refusals.findPin(target.vf.address, vector) ?? []),
      ...masks.problems,
      ...values.problems,
      ...threads.problems,
    ],
    cpus,
    mailboxes: new Map(),
    isWaiting,
    resting,
  };
}

/** All of a VF's interrupts have handlers, and neither their order, nor their names, nor the kernel tells that one is a queue's. */
function findUntold(target: TunedVf): readonly Problem[] {
  const { vf, vectors } = target;
  const areThere = vectors.length > 0 && vectors.every(({ action }) => action !== undefined);
  if (!areThere || listQueueVectors(target).length > 0) return [];
  const names = vectors.map(({ action }) => action ?? "-").join(", ");
  const message = `none of its ${vectors.length} interrupts (${names}) is known to serve a queue: they are not placed`;
  return [{ vf: vf.address, about: "vectors", code: "UNSUPPORTED", message }];
}

function withMailboxes(plan: VfPlan, steps: readonly PinStep[]): VfPlan {
  const due = steps.filter((step) => isDue(step, rememberedCpu(plan.target, step)));
  return {
    ...plan,
    pins: [...plan.pins, ...due],
    mailboxes: new Map(steps.map(({ msiIndex, to }) => [msiIndex, to])),
  };
}
