// What one pass changes: pins over all VFs together, then the RPS masks that follow from them.

import { countMaskGroups, formatCpuMask, parseCpuMask } from "../sriov/cpu-mask.ts";
import type { PinStep } from "../sriov/placement.ts";
import { chooseRpsCpus } from "../sriov/rps.ts";
import type { CpuTopology } from "../sriov/topology.ts";
import type { TuningRecord } from "../sriov/tuning-record.ts";
import type { Vector } from "../sriov/vectors.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import { listQueueVectors, only, planPins } from "./pin-plan.ts";
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
  /** Where each queue vector is once the plan is carried out, by MSI index. */
  readonly cpus: ReadonlyMap<number, number>;
  /** The driver has not registered the handlers yet (it does when the link goes up): look again soon. */
  readonly isWaiting: boolean;
  /** MSI indexes of pins that are undone now, by someone else. */
  readonly drifted: readonly number[];
}

/** The plan for each attached VF, in PCI order; without steps where nothing differs. `refusals`: what the kernel won't take. */
export function planNode(state: NodeState, refusals: Refusals): readonly VfPlan[] {
  const steps = planPins(state, refusals);
  return state.vfs.map((target) => {
    const pins = steps.filter((step) => step.vf === target.vf.address);
    return planVf(state.facts.topology, target, pins, refusals);
  });
}

function planVf(
  topology: CpuTopology,
  target: TunedVf,
  pins: readonly PinStep[],
  refusals: Refusals,
): VfPlan {
  if (target.candidates.policy === "none")
    return { target, pins: [], masks: [], cpus: new Map(), isWaiting: false, drifted: [] };
  const queues = listQueueVectors(target);
  const cpus = new Map(
    queues.flatMap(({ msiIndex, affinity }) => {
      const cpu = pins.find((pin) => pin.msiIndex === msiIndex)?.to ?? only(affinity);
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
    drifted: listDrifted(topology, target.saved, queues),
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

// The kernel itself takes interrupts away from a CPU that goes offline: nobody undid those pins.
function listDrifted(
  { cpus }: CpuTopology,
  saved: TuningRecord | undefined,
  queues: readonly Vector[],
): readonly number[] {
  return queues
    .filter(({ msiIndex, affinity }) => {
      const pin = saved?.vectors.find((each) => each.msiIndex === msiIndex);
      return pin !== undefined && cpus.has(pin.cpu) && affinity !== undefined && only(affinity) !== pin.cpu;
    })
    .map(({ msiIndex }) => msiIndex);
}
