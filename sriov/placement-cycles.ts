// Finds the exchanges that make a flow better: cycles of steps whose costs sum up to less than nothing.

/** Steps between the nodes 0 to `nodeCount` - 1: step n leads from `from[n]` to `to[n]`; Infinity: it is not allowed. */
export interface StepTable {
  readonly nodeCount: number;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly costs: Float64Array;
}

/** `cycles`: each the numbers of its steps, the last one first; without any, `distances` has one for each node, which no step makes shorter. */
export interface CycleSearch {
  readonly cycles: readonly (readonly number[])[];
  readonly distances: Float64Array;
}

/** No step. */
const none = -1;

/** Cycles of negative cost that have no node in common (Bellman and Ford). */
export function findCycles(steps: StepTable): CycleSearch {
  const distances = new Float64Array(steps.nodeCount);
  const via = new Int32Array(steps.nodeCount).fill(none);
  while (relax(steps, distances, via)) {
    const cycles = followBack(steps, via);
    if (cycles.length > 0) return { cycles, distances };
  }
  return { cycles: [], distances };
}

/** Takes each step once where it makes a distance shorter. `via`: the step that each node was reached by. */
function relax({ from, to, costs }: StepTable, distances: Float64Array, via: Int32Array): boolean {
  let isShorter = false;
  for (let step = 0; step < costs.length; step += 1) {
    const target = to[step] ?? 0;
    const distance = (distances[from[step] ?? 0] ?? 0) + (costs[step] ?? 0);
    if (distance >= (distances[target] ?? 0)) continue;
    distances[target] = distance;
    via[target] = step;
    isShorter = true;
  }
  return isShorter;
}

function followBack(steps: StepTable, via: Int32Array): readonly (readonly number[])[] {
  const cycles: (readonly number[])[] = [];
  const seenFrom = new Int32Array(steps.nodeCount).fill(none);
  const before = (node: number): number => steps.from[via[node] ?? 0] ?? 0;
  for (let start = 0; start < steps.nodeCount; start += 1) {
    let node = start;
    while (seenFrom[node] === none && via[node] !== none) {
      seenFrom[node] = start;
      node = before(node);
    }
    if (seenFrom[node] === start) cycles.push(listCycle(steps, via, node));
  }
  return cycles;
}

function listCycle({ from }: StepTable, via: Int32Array, start: number): readonly number[] {
  const cycle: number[] = [];
  let node = start;
  do {
    const step = via[node] ?? 0;
    cycle.push(step);
    node = from[step] ?? 0;
  } while (node !== start);
  return cycle;
}
