// Which interrupts a pass pins, over all VFs together: where tuning pinned them counts, not where somebody moved them.

import { irqKey, type PinStep, planPlacement } from "../sriov/placement.ts";
import type { IrqId, IrqToPlace } from "../sriov/placement-model.ts";
import type { Vector } from "../sriov/vectors.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import type { PassMemory } from "./pass-memory.ts";
import { turnQueues } from "./queue-turns.ts";
import type { Refusals } from "./refusals.ts";

/** What passes before this one found not worth trying. */
export type PlanMemory = Pick<PassMemory, "refusals" | "fullCpus" | "contests">;

/** `unplaced`: those for which no CPU that they may have has a vector left. */
export interface PinPlan {
  readonly steps: readonly PinStep[];
  readonly unplaced: readonly IrqId[];
}

interface Placeable {
  readonly target: TunedVf;
  readonly vector: Vector;
}

/**
 * Steps for interrupts that are not where they shall be, or not noted there yet, ordered by VF and MSI index. The plan starts
 * from the remembered pins, so that one that somebody moved goes back unless there is a reason for another place.
 */
export function planPins(state: NodeState, { refusals, fullCpus, contests }: PlanMemory): PinPlan {
  const { topology } = state.facts;
  const placeable = state.vfs.flatMap((target) =>
    target.candidates.policy === "none" ? [] : listQueueVectors(target).map((vector) => ({ target, vector })),
  );
  const isMovable = ({ target, vector }: Placeable): boolean => !isFixed(target, vector, refusals);
  const queueCpus = turnQueues(state.vfs);
  const movable = placeable.filter((each) => isMovable(each) && each.vector.affinity !== undefined);
  const irqs = movable.map((each) => toPlace(each, queueCpus));
  const before = new Map(placeable.map((each) => [idOf(each), whereItIs(each, fullCpus)] as const));
  const fixedLoad = countLoad(
    state.fixedIrqs,
    placeable.filter((each) => !isMovable(each)),
    state.vfs.filter(hasLostVectors),
  );
  const placed = new Map(
    planPlacement(topology, irqs, before, { fixedLoad, capacity: fullCpus.listCapacities() }).map(
      (step) => [irqKey(step), step.to] as const,
    ),
  );
  const steps: PinStep[] = [];
  const unplaced: IrqId[] = [];
  for (const [at, { target, vector }] of movable.entries()) {
    const irq = irqs[at];
    // What rests keeps its place in the plan: the others shall not move because something moves this one.
    if (irq === undefined || contests.isResting(irq.vf, irq.msiIndex)) continue;
    const stays = only(before.get(irqKey(irq)));
    const isAllowed = stays !== undefined && topology.cpus.has(stays) && irq.candidates.includes(stays);
    const to = placed.get(irqKey(irq)) ?? (isAllowed ? stays : undefined);
    const isThere = only(vector.affinity) === to && rememberedCpu(target, vector) === to;
    if (to === undefined) unplaced.push(irq);
    else if (!isThere) steps.push({ vf: irq.vf, msiIndex: irq.msiIndex, from: vector.affinity ?? [], to });
  }
  return { steps, unplaced };
}

/** Vectors that serve queues. One whose handler is gone for now keeps its pin, and its place, as the tuning record knows it. */
export function listQueueVectors({ vectors, saved }: Pick<TunedVf, "vectors" | "saved">): readonly Vector[] {
  return vectors.filter(
    ({ role, msiIndex }) =>
      role?.kind === "queue" ||
      (role === undefined &&
        saved?.vectors.some((each) => each.msiIndex === msiIndex && each.isMailbox !== true) === true),
  );
}

/** They could not be read just now, or are about to come back, as while a driver resets its device. */
export function hasLostVectors({ vectors, saved }: Pick<TunedVf, "vectors" | "saved">): boolean {
  return vectors.length === 0 && (saved?.vectors.length ?? 0) > 0;
}

/** The CPU of a set that has just one. */
export function only(cpus: readonly number[] | undefined): number | undefined {
  return cpus?.length === 1 ? cpus[0] : undefined;
}

/** Where tuning pinned the vector, as the tuning record knows. */
export function rememberedCpu(
  { saved }: Pick<TunedVf, "saved">,
  { msiIndex }: Pick<Vector, "msiIndex">,
): number | undefined {
  return saved?.vectors.find((each) => each.msiIndex === msiIndex)?.cpu;
}

function whereItIs({ target, vector }: Placeable, fullCpus: PlanMemory["fullCpus"]): readonly number[] {
  const { msiIndex, affinity = [] } = vector;
  const pin = rememberedCpu(target, vector);
  const irq = { vf: target.vf.address, msiIndex };
  return pin === undefined || fullCpus.keepsOut(irq, pin, affinity) ? affinity : [pin];
}

function toPlace({ target, vector }: Placeable, queueCpus: ReadonlyMap<string, number>): IrqToPlace {
  const { cpus, near } = target.candidates;
  const { msiIndex, role } = vector;
  const own = queueCpus.get(idOf({ target, vector }));
  return {
    vf: target.vf.address,
    msiIndex,
    candidates: own === undefined ? cpus : [own],
    near,
    direction: role?.kind === "queue" ? role.direction : "both",
  };
}

function isFixed({ vf }: TunedVf, vector: Vector, refusals: Refusals): boolean {
  return vector.isManaged || refusals.hasPin(vf.address, vector);
}

function countLoad(
  fixedIrqs: NodeState["fixedIrqs"],
  fixed: readonly Placeable[],
  lost: readonly Pick<TunedVf, "saved">[],
): ReadonlyMap<number, number> {
  const cpus = new Map(fixedIrqs);
  for (const { vector } of fixed) {
    const cpu = only(vector.effective);
    if (cpu !== undefined) cpus.set(vector.irq, cpu);
  }
  // They keep their place: the others shall not move for a moment's sake.
  const kept = lost.flatMap(({ saved }) =>
    (saved?.vectors ?? []).flatMap(({ cpu, isMailbox }) => (isMailbox === true ? [] : [cpu])),
  );
  const load = new Map<number, number>();
  for (const cpu of [...cpus.values(), ...kept]) load.set(cpu, (load.get(cpu) ?? 0) + 1);
  return load;
}

function idOf({ target, vector }: Placeable): string {
  return irqKey({ vf: target.vf.address, msiIndex: vector.msiIndex });
}
