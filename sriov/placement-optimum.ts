// Brings a placement's flow to its optimum, objective by objective: exchanges of interrupts until none makes it better.

import type { Arc, Network, Node, Step } from "./placement-network.ts";
import {
  countMoves,
  countUnplaced,
  type Objective,
  squareCoreLoads,
  sumDistances,
  sumRanks,
  weighCpuLoads,
} from "./placement-objectives.ts";

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
  let isChanged = false;
  for (;;) {
    const steps = listSteps(network, met, objective);
    const cycles = findCycles(network.nodes, steps);
    if (cycles.length === 0) break;
    for (const step of cycles.flat()) step.arc.flow += step.by;
    isChanged = true;
  }
  for (const node of network.nodes) node.potentials.push(node.distance);
  met.push(objective);
  return isChanged;
}

function listSteps({ arcs }: Network, met: readonly Objective[], objective: Objective): readonly Step[] {
  const steps: Step[] = [];
  for (const arc of arcs) {
    const { from, to, flow, capacity } = arc;
    if (flow < capacity && isFree(met, arc, flow + 1)) {
      const cost = objective(arc, flow + 1);
      if (cost < Infinity) steps.push({ arc, by: 1, from, to, cost });
    }
    if (flow > 0 && isFree(met, arc, flow)) {
      const cost = objective(arc, flow);
      if (cost < Infinity) steps.push({ arc, by: -1, from: to, to: from, cost: -cost });
    }
  }
  return steps;
}

/** Whether the arc's `unit`-th interrupt has no reduced cost for any objective that is met. */
function isFree(met: readonly Objective[], arc: Arc, unit: number): boolean {
  for (const [at, objective] of met.entries()) {
    const reduced = objective(arc, unit) + (arc.from.potentials[at] ?? 0) - (arc.to.potentials[at] ?? 0);
    if (reduced !== 0) return false;
  }
  return true;
}

/** Cycles of negative cost that have no node in common (Bellman and Ford); when there is none, each node has its distance. */
function findCycles(nodes: readonly Node[], steps: readonly Step[]): readonly (readonly Step[])[] {
  for (const node of nodes) {
    node.distance = 0;
    node.via = undefined;
  }
  while (relax(steps)) {
    const cycles = followBack(nodes);
    if (cycles.length > 0) return cycles;
  }
  return [];
}

function relax(steps: readonly Step[]): boolean {
  let isShorter = false;
  for (const step of steps) {
    const distance = step.from.distance + step.cost;
    if (distance >= step.to.distance) continue;
    step.to.distance = distance;
    step.to.via = step;
    isShorter = true;
  }
  return isShorter;
}

function followBack(nodes: readonly Node[]): readonly (readonly Step[])[] {
  const cycles: Step[][] = [];
  for (const node of nodes) node.seenFrom = undefined;
  for (const start of nodes) {
    let node: Node | undefined = start;
    while (node !== undefined && node.seenFrom === undefined) {
      node.seenFrom = start;
      node = node.via?.from;
    }
    if (node?.via !== undefined && node.seenFrom === start) cycles.push(listCycle(node));
  }
  return cycles;
}

function listCycle(start: Node): Step[] {
  const cycle: Step[] = [];
  let step = start.via;
  while (step !== undefined) {
    cycle.push(step);
    step = step.from === start ? undefined : step.from.via;
  }
  return cycle;
}
