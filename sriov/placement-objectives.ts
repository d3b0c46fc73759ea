// What a placement is judged by, the most important first, as costs of single interrupts on the arcs of the network.

import type { Arc, LoadArc, Network } from "./placement-network.ts";

/** What the `unit`-th interrupt on an arc costs; grows with `unit`. Infinity: not to be thought of. */
export type Objective = (arc: Arc, unit: number) => number;

/** As few interrupts as possible without a CPU. */
export function countUnplaced(arc: Arc): number {
  return arc.kind === "unplaced" ? 1 : 0;
}

/** The sum of the squared loads of the cores: least exactly where the sorted load vector is least (Harvey et al., 2006). */
export function squareCoreLoads(arc: Arc, unit: number): number {
  return arc.kind === "core" ? 2 * (arc.fixed + unit) - 1 : 0;
}

/**
 * The sorted load vector of the CPUs; the flow has to meet them one after the other. Among placements that are equal for the
 * cores squares would not do, so that one CPU less with the highest load outweighs all that changes below. Right for
 * changes of each load by one; to be made anew when the flow changed.
 */
export function weighCpuLoads(network: Network): readonly Objective[] {
  const cpus = network.arcs.filter((arc): arc is LoadArc => arc.kind === "cpu");
  const levels = [
    ...new Set(
      cpus.flatMap(({ fixed, flow, capacity }) => [
        fixed + flow,
        ...(flow < capacity ? [fixed + flow + 1] : []),
      ]),
    ),
  ].toSorted((a, b) => b - a);
  // A cycle changes each CPU once at most, so the sum over lower levels stays below half a step; and sums must be exact.
  const base = 2 * cpus.length + 1;
  const perObjective = 1 + Math.max(0, Math.floor((52 - Math.log2(base)) / Math.log2(base)));
  const first = Array.from({ length: Math.ceil(levels.length / perObjective) }, (_, at) => at * perObjective);
  return first.map((start) => {
    const weights = new Map(
      levels.map((level, at) => {
        const isWeighed = at >= start && at < start + perObjective;
        return [level, isWeighed ? base ** (start + perObjective - 1 - at) : 0] as const;
      }),
    );
    return (arc, unit) => (arc.kind === "cpu" ? (weights.get(arc.fixed + unit) ?? Infinity) : 0);
  });
}

/** Closeness to the CPUs that each interrupt should be near. */
export function sumDistances(arc: Arc): number {
  return arc.kind === "choice" ? arc.choice.distance : 0;
}

/** As many pinned interrupts as possible stay. */
export function countMoves(arc: Arc, unit: number): number {
  return arc.kind === "choice" && unit <= arc.pinned ? -1 : 0;
}

/** Preferred candidates first. */
export function sumRanks(arc: Arc): number {
  return arc.kind === "choice" ? arc.choice.rank : 0;
}
