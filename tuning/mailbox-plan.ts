// Where the vectors go that serve no queue (mailboxes): off the CPUs that pods have for themselves.

import { comparePciAddress } from "../sriov/pci-address.ts";
import type { PinStep } from "../sriov/placement.ts";
import type { IrqId } from "../sriov/placement-model.ts";
import type { Vector } from "../sriov/vectors.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import { only, type PinPlan, type PlanMemory, rememberedCpu } from "./pin-plan.ts";

/**
 * The housekeeping CPU of each such vector that may come on another one, or that tuning pinned before, also where it is there
 * already (see `isDue`); a vector that stays on housekeeping CPUs by itself is left as it is. On the VF's node where that has
 * one, where the fewest others are.
 */
export function planMailboxes(
  { facts, vfs }: NodeState,
  { refusals, fullCpus, contests }: PlanMemory,
): PinPlan {
  const allowed = facts.housekeeping.filter((cpu) => facts.topology.cpus.has(cpu));
  const mailboxes = vfs
    .filter(({ candidates }) => candidates.policy !== "none")
    .toSorted((a, b) => comparePciAddress(a.vf.address, b.vf.address))
    .flatMap((target) =>
      target.vectors
        .filter((vector) => isMailbox(target, vector))
        .filter(({ isManaged, affinity }) => !isManaged && affinity !== undefined)
        .filter((vector) => !refusals.hasPin(target.vf.address, vector))
        .filter(({ msiIndex }) => !contests.isResting(target.vf.address, msiIndex))
        .map((vector) => ({ target, vector, cpu: rememberedCpu(target, vector) })),
    );
  const counts = new Map(allowed.map((cpu) => [cpu, 0]));
  const count = (cpu: number): void => void counts.set(cpu, (counts.get(cpu) ?? 0) + 1);
  for (const { cpu } of mailboxes) if (cpu !== undefined && allowed.includes(cpu)) count(cpu);
  const steps: PinStep[] = [];
  const unplaced: IrqId[] = [];
  for (const { target, vector, cpu } of mailboxes) {
    const from = vector.affinity ?? [];
    const irq = { vf: target.vf.address, msiIndex: vector.msiIndex };
    const isKept = cpu !== undefined && allowed.includes(cpu) && !fullCpus.keepsOut(irq, cpu, from);
    const isQuiet = from.every((each) => !facts.topology.cpus.has(each) || allowed.includes(each));
    if (cpu === undefined && isQuiet) continue;
    const withRoom = new Map([...counts].filter(([each]) => each === only(from) || !fullCpus.has(each)));
    const to = isKept ? cpu : chooseCpu(facts.topology, target, withRoom);
    if (to !== undefined) steps.push({ ...irq, from, to });
    else if (allowed.length > 0) unplaced.push(irq);
    if (to !== undefined && !isKept) count(to);
  }
  return { steps, unplaced };
}

/** Whether the vector has to be pinned: it is elsewhere, or that it is there is not noted yet. */
export function isDue({ from, to }: PinStep, remembered: number | undefined): boolean {
  return only(from) !== to || remembered !== to;
}

/** A vector that serves no queue; one whose handler is gone for now as the tuning record knows it. */
function isMailbox({ saved }: TunedVf, { role, msiIndex }: Vector): boolean {
  const isKnown = saved?.vectors.some((each) => each.msiIndex === msiIndex && each.isMailbox === true);
  return role?.kind === "other" || (role === undefined && isKnown === true);
}

function chooseCpu(
  topology: NodeState["facts"]["topology"],
  { vf }: TunedVf,
  counts: ReadonlyMap<number, number>,
): number | undefined {
  const near = [...counts].filter(([cpu]) => topology.cpus.get(cpu)?.node === vf.numaNode);
  const among = near.length > 0 ? near : [...counts];
  return among.toSorted(([a, many], [b, few]) => many - few || a - b)[0]?.[0];
}
