// What a placement is worth, counted from scratch, and the best one found by trying all.

import type { IrqToPlace } from "../../sriov/placement-model.ts";
import type { CpuLimits } from "../../sriov/placement-network.ts";
import type { CpuTopology } from "../../sriov/topology.ts";

/** A placement problem; `pinned`: the CPU of each interrupt now, in the order of `irqs`. */
export interface PlacementProblem {
  readonly topology: CpuTopology;
  readonly irqs: readonly IrqToPlace[];
  readonly pinned: readonly (number | undefined)[];
  readonly limits: CpuLimits;
}

/** The numbers that are to be least, the most important first. */
export interface PlacementScore {
  readonly unplaced: number;
  readonly cores: readonly number[];
  readonly cpus: readonly number[];
  readonly distance: number;
  readonly moves: number;
}

/** The score of giving each interrupt the CPU in `chosen`. */
export function scorePlacement(
  { topology, irqs, pinned, limits }: PlacementProblem,
  chosen: readonly (number | undefined)[],
): PlacementScore {
  const load = (cpu: number): number =>
    (limits.fixedLoad.get(cpu) ?? 0) + chosen.filter((each) => each === cpu).length;
  const cores = Map.groupBy(topology.online, (cpu) => topology.cpus.get(cpu)?.core);
  return {
    unplaced: chosen.filter((cpu) => cpu === undefined).length,
    cores: descending([...cores.values()].map((cpus) => cpus.reduce((sum, cpu) => sum + load(cpu), 0))),
    cpus: descending(topology.online.map(load)),
    distance: irqs.reduce((sum, irq, at) => sum + distanceOf(topology, irq, chosen[at]), 0),
    moves: chosen.filter((cpu, at) => {
      const now = pinned[at];
      return now !== undefined && irqs[at]?.candidates.includes(now) === true && cpu !== now;
    }).length,
  };
}

/** Negative when `a` is better. */
function compareScores(a: PlacementScore, b: PlacementScore): number {
  const left = listNumbers(a);
  const right = listNumbers(b);
  const at = left.findIndex((value, index) => value !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}

function listNumbers({ unplaced, cores, cpus, distance, moves }: PlacementScore): readonly number[] {
  return [unplaced, ...cores, ...cpus, distance, moves];
}

function descending(loads: readonly number[]): readonly number[] {
  return loads.toSorted((a, b) => b - a);
}

/** The best score of all placements. Tries each: for a few interrupts only. */
export function findBestScore(problem: PlacementProblem): PlacementScore {
  const { irqs, limits } = problem;
  let best: PlacementScore | undefined;
  const chosen: (number | undefined)[] = [];
  const left = (cpu: number): number =>
    (limits.capacity.get(cpu) ?? Infinity) - (limits.fixedLoad.get(cpu) ?? 0);
  const there = (cpu: number): number =>
    problem.pinned.filter((now, at) => now === cpu && irqs[at]?.candidates.includes(cpu)).length;
  const room = (cpu: number): number => Math.max(left(cpu), there(cpu));
  function tryFrom(at: number): void {
    const irq = irqs[at];
    if (irq === undefined) {
      const score = scorePlacement(problem, chosen);
      if (best === undefined || compareScores(score, best) < 0) best = score;
      return;
    }
    for (const cpu of [...irq.candidates, undefined]) {
      if (cpu !== undefined && chosen.slice(0, at).filter((each) => each === cpu).length >= room(cpu))
        continue;
      if (cpu !== undefined && cpu !== problem.pinned[at] && left(cpu) <= 0) continue;
      const isPinned = irq.candidates.includes(problem.pinned[at] ?? -1);
      if (cpu === undefined && (limits.capacity.size === 0 || isPinned)) continue;
      chosen[at] = cpu;
      tryFrom(at + 1);
    }
    chosen.length = at;
  }
  tryFrom(0);
  if (best === undefined) throw new Error("there is no placement");
  return best;
}

/** From the CPUs that the interrupt should be near: 0 on a core of theirs, 1 in a level-3 cache, 2 on a node, 3 elsewhere. */
export function distanceOf(topology: CpuTopology, { near }: IrqToPlace, chosen: number | undefined): number {
  const here = chosen === undefined ? undefined : topology.cpus.get(chosen);
  if (here === undefined || near.length === 0) return 0;
  const places = near.map((cpu) => topology.cpus.get(cpu));
  if (places.some((place) => place?.core === here.core)) return 0;
  if (places.some((place) => place?.l3 === here.l3)) return 1;
  return places.some((place) => place?.node === here.node) ? 2 : 3;
}
