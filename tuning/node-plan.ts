// What one pass changes: pins over all VFs together, then the RPS masks that follow from them.

import { countMaskGroups, formatCpuMask, parseCpuMask } from "../sriov/cpu-mask.ts";
import type { PinStep } from "../sriov/placement.ts";
import { chooseRpsCpus } from "../sriov/rps.ts";
import type { CpuTopology } from "../sriov/topology.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import { listQueueVectors, only, planPins, type PlanMemory, rememberedCpu } from "./pin-plan.ts";
import type { Refusals } from "./refusals.ts";

/** One rps_cpus to write; texts as the kernel has them. */
export interface MaskStep {
  readonly queue: string;
  readonly from: string;
  readonly to: string;
}

export interface VfPlan {
  readonly target: TunedVf;
  readonly pins: readonly PinStep[];
  readonly masks: readonly MaskStep[];
  /** Where each queue vector is once the plan is carried out, or shall be after its rest, by MSI index. */
  readonly cpus: ReadonlyMap<number, number>;
  /** The driver has not registered the handlers yet (it does when the link goes up): look again soon. */
  readonly isWaiting: boolean;
  /** MSI indexes of interrupts that are left alone because something undoes their pins. */
  readonly resting: readonly number[];
}

/** The plan for each attached VF, in PCI order; without steps where nothing differs. `memory`: what is not to be tried. */
export function planNode(state: NodeState, memory: PlanMemory): readonly VfPlan[] {
  const steps = planPins(state, memory);
  return state.vfs.map((target) => {
    const pins = steps.filter((step) => step.vf === target.vf.address);
    return planVf(state.facts.topology, target, pins, memory);
  });
}

function planVf(
  topology: CpuTopology,
  target: TunedVf,
  pins: readonly PinStep[],
  { refusals, contests }: PlanMemory,
): VfPlan {
  if (target.candidates.policy === "none")
    return { target, pins: [], masks: [], cpus: new Map(), isWaiting: false, resting: [] };
  const queues = listQueueVectors(target);
  const resting = queues
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
    (queues.length === 0 && target.vectors.some(({ role }) => role === undefined));
  return {
    target,
    pins,
    masks: isWaiting ? [] : planMasks(topology, target, cpus, refusals),
    cpus,
    isWaiting,
    resting,
  };
}

function planMasks(
  topology: CpuTopology,
  target: TunedVf,
  cpus: ReadonlyMap<number, number>,
  refusals: Refusals,
): readonly MaskStep[] {
  const masks = target.masks ?? [];
  return masks.flatMap(({ queue, text }) => {
    const irqCpus = listIrqCpus(target, Number(queue.slice("rx-".length)), cpus);
    const wanted = chooseRpsCpus(topology, target.rps, { irqCpus, queues: masks.length });
    if (wanted.join() === parseCpuMask(text).join()) return [];
    const step = { queue, from: text, to: formatCpuMask(wanted, countMaskGroups(text)) };
    return refusals.hasMask(target.vf.address, step) ? [] : [step];
  });
}

// Of the queue's own vector; of all of them where it can't be told which one that is.
function listIrqCpus(target: TunedVf, queue: number, cpus: ReadonlyMap<number, number>): readonly number[] {
  const own = target.vectors.flatMap(({ msiIndex, role }) => {
    const isOwn = role?.kind === "queue" && role.direction !== "tx" && role.queue === queue;
    return isOwn ? [cpus.get(msiIndex)] : [];
  });
  return (own.length > 0 ? own : [...cpus.values()]).filter((cpu) => cpu !== undefined);
}
