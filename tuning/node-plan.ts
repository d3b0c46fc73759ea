// What one pass changes: pins over all VFs together, then the RPS masks that follow from them.

import { countMaskGroups, formatCpuMask, parseCpuMask } from "../sriov/cpu-mask.ts";
import { irqKey, type PinStep, planPlacement } from "../sriov/placement.ts";
import type { IrqToPlace } from "../sriov/placement-model.ts";
import { chooseRpsCpus } from "../sriov/rps.ts";
import type { CpuTopology } from "../sriov/topology.ts";
import type { TuningRecord } from "../sriov/tuning-record.ts";
import type { Vector } from "../sriov/vectors.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import { turnQueues } from "./queue-turns.ts";
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
  /** MSI indexes of pins that someone else undid. */
  readonly drifted: readonly number[];
}

/** The plan for each attached VF, in PCI order; without steps where nothing differs. `refusals`: what the kernel won't take. */
export function planNode(state: NodeState, refusals: Refusals): readonly VfPlan[] {
  const placeable = state.vfs.flatMap((target) =>
    target.candidates.policy === "none" ? [] : listQueueVectors(target).map((vector) => ({ target, vector })),
  );
  const queueCpus = turnQueues(state.vfs);
  const movable = placeable.filter(({ target, vector }) => !isFixed(target, vector, refusals));
  const current = new Map(
    placeable.map(({ target, vector }) => [idOf(target, vector), vector.affinity ?? []] as const),
  );
  const steps = planPlacement(
    state.facts.topology,
    movable.flatMap(({ target, vector }) =>
      vector.affinity === undefined ? [] : [toPlace(target, vector, queueCpus)],
    ),
    current,
    {
      fixedLoad: countFixedLoad(
        placeable.filter((each) => !movable.includes(each)).map((each) => each.vector),
      ),
      capacity: new Map(),
    },
  );
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
    drifted: listDrifted(target.saved, queues),
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

/** Vectors that serve queues. One whose handler is gone for now keeps its pin, and its place, as the tuning record knows it. */
export function listQueueVectors({ vectors, saved }: Pick<TunedVf, "vectors" | "saved">): readonly Vector[] {
  return vectors.filter(
    ({ role, msiIndex }) =>
      role?.kind === "queue" ||
      (role === undefined && saved?.vectors.some((each) => each.msiIndex === msiIndex) === true),
  );
}

function listDrifted(saved: TuningRecord | undefined, queues: readonly Vector[]): readonly number[] {
  return queues
    .filter(({ msiIndex, affinity }) => {
      const pin = saved?.vectors.find((each) => each.msiIndex === msiIndex);
      return pin !== undefined && affinity !== undefined && only(affinity) !== pin.cpu;
    })
    .map(({ msiIndex }) => msiIndex);
}

function toPlace(target: TunedVf, vector: Vector, queueCpus: ReadonlyMap<string, number>): IrqToPlace {
  const { cpus, near } = target.candidates;
  const { msiIndex, role } = vector;
  const own = queueCpus.get(idOf(target, vector));
  return {
    vf: target.vf.address,
    msiIndex,
    candidates: own === undefined ? cpus : [own],
    near,
    direction: role?.kind === "queue" ? role.direction : "both",
  };
}

function isFixed(target: TunedVf, vector: Vector, refusals: Refusals): boolean {
  return vector.isManaged || refusals.hasPin(target.vf.address, vector);
}

function countFixedLoad(vectors: readonly Vector[]): ReadonlyMap<number, number> {
  const load = new Map<number, number>();
  for (const { effective } of vectors) {
    const cpu = only(effective);
    if (cpu !== undefined) load.set(cpu, (load.get(cpu) ?? 0) + 1);
  }
  return load;
}

function idOf({ vf }: TunedVf, { msiIndex }: Vector): string {
  return irqKey({ vf: vf.address, msiIndex });
}

function only(cpus: readonly number[] | undefined): number | undefined {
  return cpus?.length === 1 ? cpus[0] : undefined;
}
