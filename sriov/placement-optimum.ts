// Brings a placement's flow to its optimum, objective by objective: exchanges of interrupts until none makes it better.

import { findCycles } from "./placement-cycles.ts";
import type { Arc, Network } from "./placement-network.ts";
import {
  countMoves,
  countUnplaced,
  type Objective,
  squareCoreLoads,
  sumDistances,
  sumRanks,
  weighCpuLoads,
} from "./placement-objectives.ts";
import { Steps } from "./placement-steps.ts";

/** Changes the network's flow to the lexicographic optimum: placed at all, core loads, CPU loads, distance, moves, rank. */
export function optimise(network: Network): void {
  const met: Objective[] = [];
  meet(network, met, countUnplaced);
  meet(network, met, squareCoreLoads);
  meetCpuLoads(network, met);
  for (const objective of [sumDistances, countMoves, sumRanks]) meet(network, met, objective);
}

// The weights hold for changes of a load by one: after a change they are made anew, until nothing changes.
function meetCpuLoads(network: Network, met: Objective[]): void {
  const before = met.length;
  for (;;) {
    let isChanged = false;
    for (const objective of weighCpuLoads(network)) isChanged = meet(network, met, objective) || isChanged;
    if (!isChanged) return;
    met.length = before;
    for (const node of network.nodes) node.potentials.length = before;
  }
}

/**
 * Optimal for `objective` among the flows that are optimal for those `met` before; true when the flow changed. A flow is
 * optimal when no cycle of steps has a negative cost; the distances that prove it are the node's new potentials, and later
 * only steps without reduced cost are allowed. As the costs of an arc grow with its flow, that stays true.
 */
function meet(network: Network, met: Objective[], objective: Objective): boolean {
  const steps = new Steps(network, (arc, unit) => (isFree(met, arc, unit) ? objective(arc, unit) : Infinity));
  let search = findCycles(steps);
  const isChanged = search.cycles.length > 0;
  while (search.cycles.length > 0) {
    for (const step of search.cycles.flat()) steps.take(step);
    search = findCycles(steps);
  }
  for (const node of network.nodes) node.potentials.push(search.distances[node.index] ?? 0);
  met.push(objective);
  return isChanged;
}

/** Whether the arc's `unit`-th interrupt has no reduced cost for any objective that is met. */
function isFree(met: readonly Objective[], arc: Arc, unit: number): boolean {
  const { from, to } = arc;
  return met.every(
    (objective, at) => objective(arc, unit) + (from.potentials[at] ?? 0) - (to.potentials[at] ?? 0) === 0,
  );
}
