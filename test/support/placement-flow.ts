// The best placement as a flow of least cost, worked out the textbook's way: one interrupt after the other along a shortest path.

import type { IrqToPlace } from "../../sriov/placement-model.ts";
import { distanceOf, type PlacementProblem, type PlacementScore, scorePlacement } from "./placement-score.ts";

/** Of unplaced, cores, CPUs, distance, moves: the first that differs decides. */
type Cost = readonly bigint[];

/** `costOf`: of the unit-th interrupt on it, growing. */
interface Arc {
  readonly from: string;
  readonly to: string;
  readonly capacity: number;
  readonly costOf: (unit: number) => Cost;
  flow: number;
}

/** Interrupts with the same candidates and the same CPUs to be near, by their place among all. */
interface Group {
  readonly name: string;
  readonly irq: IrqToPlace;
  readonly members: readonly number[];
}

const zero: Cost = [0n, 0n, 0n, 0n, 0n];
const source = "source";
const sink = "sink";

/** The score of the best placement, at any size; it has nothing in common with how virtfn finds its own. Source: Busacker and Gowen, 1960. */
export function findFlowScore(problem: PlacementProblem): PlacementScore {
  const groups = listGroups(problem.irqs);
  const arcs = [...groups.flatMap((group) => listGroupArcs(problem, group)), ...listLoadArcs(problem)];
  const byNode = new Map<string, Arc[]>();
  for (const arc of arcs)
    for (const node of [arc.from, arc.to]) byNode.set(node, [...(byNode.get(node) ?? []), arc]);
  for (let sent = 0; sent < problem.irqs.length; sent += 1) sendOne(byNode);
  const chosen: (number | undefined)[] = problem.irqs.map(() => undefined);
  for (const group of groups) handOut(problem, group, arcs, chosen);
  return scorePlacement(problem, chosen);
}

function listGroups(irqs: readonly IrqToPlace[]): readonly Group[] {
  const byKey = Map.groupBy(irqs.keys(), (at) => {
    const { candidates = [], near = [] } = irqs[at] ?? {};
    return `irqs of ${candidates.toSorted((a, b) => a - b).join()} near ${near.join()}`;
  });
  return [...byKey].flatMap(([name, members]) => {
    const irq = irqs[members[0] ?? -1];
    return irq === undefined ? [] : [{ name, irq, members }];
  });
}

function listGroupArcs({ topology, pinned, limits }: PlacementProblem, group: Group): readonly Arc[] {
  const { name, irq, members } = group;
  const left = (cpu: number): number =>
    (limits.capacity.get(cpu) ?? Infinity) - (limits.fixedLoad.get(cpu) ?? 0);
  const countThere = (cpu: number): number => members.filter((at) => pinned[at] === cpu).length;
  const isPinned = (at: number): boolean => irq.candidates.includes(pinned[at] ?? -1);
  const free = limits.capacity.size === 0 ? 0 : members.filter((at) => !isPinned(at)).length;
  return [
    makeArc(source, name, members.length, () => zero),
    makeArc(name, sink, free, () => [1n, 0n, 0n, 0n, 0n]),
    ...[...new Set(irq.candidates)].map((cpu) => {
      const there = countThere(cpu);
      const distance = BigInt(distanceOf(topology, irq, cpu));
      // Each goes somewhere: to count those that come is to count those that leave, and the new ones.
      const costOf = (unit: number): Cost => [0n, 0n, 0n, distance, unit <= there ? 0n : 1n];
      return makeArc(name, `cpu ${cpu}`, left(cpu) > 0 ? members.length : there, costOf);
    }),
  ];
}

function listLoadArcs({ topology, irqs, pinned, limits }: PlacementProblem): readonly Arc[] {
  const coreOf = (cpu: number): string => `core ${topology.cpus.get(cpu)?.core}`;
  const cpus = [...new Set(irqs.flatMap(({ candidates }) => candidates))];
  const fixedOf = (cpu: number): number => limits.fixedLoad.get(cpu) ?? 0;
  const fixedOfCore = new Map<string, number>();
  for (const cpu of topology.online)
    fixedOfCore.set(coreOf(cpu), (fixedOfCore.get(coreOf(cpu)) ?? 0) + fixedOf(cpu));
  // One CPU less at a level outweighs all that changes below: there are fewer CPUs than the base.
  const base = BigInt(topology.online.length + 1);
  const step = (load: number): bigint => base ** BigInt(load) - base ** BigInt(load - 1);
  return [
    ...cpus.map((cpu) => {
      const there = pinned.filter((now, at) => now === cpu && irqs[at]?.candidates.includes(cpu)).length;
      const room = Math.max((limits.capacity.get(cpu) ?? Infinity) - fixedOf(cpu), there);
      const costOf = (unit: number): Cost => [0n, 0n, step(fixedOf(cpu) + unit), 0n, 0n];
      return makeArc(`cpu ${cpu}`, coreOf(cpu), room, costOf);
    }),
    ...[...new Set(cpus.map(coreOf))].map((core) => {
      const fixed = fixedOfCore.get(core) ?? 0;
      return makeArc(core, sink, Infinity, (unit) => [0n, step(fixed + unit), 0n, 0n, 0n]);
    }),
  ];
}

function makeArc(from: string, to: string, capacity: number, costOf: Arc["costOf"]): Arc {
  return { from, to, capacity, costOf, flow: 0 };
}

/** The step by which a node was reached: one more on `arc`, or one less (`isBack`), at `cost` from the source. */
interface Reached {
  readonly cost: Cost;
  readonly arc: Arc | undefined;
  readonly isBack: boolean;
}

/** Along a shortest path (Bellman and Ford, with a queue of nodes). */
function sendOne(byNode: ReadonlyMap<string, readonly Arc[]>): void {
  const reached = new Map<string, Reached>([[source, { cost: zero, arc: undefined, isBack: false }]]);
  const queue = [source];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    const here = reached.get(node)?.cost ?? zero;
    for (const arc of byNode.get(node) ?? []) {
      const isBack = arc.to === node;
      if (isBack ? arc.flow === 0 : arc.flow >= arc.capacity) continue;
      const cost = isBack ? minus(here, arc.costOf(arc.flow)) : plus(here, arc.costOf(arc.flow + 1));
      const target = isBack ? arc.from : arc.to;
      const known = reached.get(target);
      if (known !== undefined && !isLess(cost, known.cost)) continue;
      reached.set(target, { cost, arc, isBack });
      if (target !== sink && !queue.includes(target)) queue.push(target);
    }
  }
  let node = sink;
  while (node !== source) {
    const step = reached.get(node);
    if (step?.arc === undefined) throw new Error("there is no placement");
    step.arc.flow += step.isBack ? -1 : 1;
    node = step.isBack ? step.arc.to : step.arc.from;
  }
}

function plus(a: Cost, b: Cost): Cost {
  return a.map((value, at) => value + (b[at] ?? 0n));
}

function minus(a: Cost, b: Cost): Cost {
  return a.map((value, at) => value - (b[at] ?? 0n));
}

function isLess(a: Cost, b: Cost): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] ?? 0n) < (b[at] ?? 0n);
}

/** As many of the group on each CPU as flow there; who is there stays. */
function handOut(
  { pinned }: Pick<PlacementProblem, "pinned">,
  { name, members }: Group,
  arcs: readonly Arc[],
  chosen: (number | undefined)[],
): void {
  const places = new Map(
    arcs
      .filter(({ from, to }) => from === name && to !== sink)
      .map(({ to, flow }) => [Number(to.slice("cpu ".length)), flow] as const),
  );
  const take = (at: number, cpu: number): void => {
    chosen[at] = cpu;
    places.set(cpu, (places.get(cpu) ?? 0) - 1);
  };
  const waiting = members.filter((at) => {
    const cpu = pinned[at];
    if (cpu === undefined || (places.get(cpu) ?? 0) <= 0) return true;
    take(at, cpu);
    return false;
  });
  for (const at of waiting) {
    const cpu = [...places].find(([, left]) => left > 0)?.[0];
    if (cpu !== undefined) take(at, cpu);
  }
}
