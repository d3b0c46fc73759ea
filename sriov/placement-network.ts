// The flow network of a placement: interrupts flow from their group to a CPU, from there to its core, and out.

import type { Choice, IrqGroup } from "./placement-model.ts";
import type { CpuTopology } from "./topology.ts";

/** `index`: its place among the network's nodes; `potentials`: one for each objective that is met already. */
export interface Node {
  index: number;
  readonly potentials: number[];
}

interface Channel {
  readonly from: Node;
  readonly to: Node;
  readonly capacity: number;
  flow: number;
}

/** Interrupts of one group on one CPU; `pinned`: how many of them are there now. */
export interface ChoiceArc extends Channel {
  readonly kind: "choice";
  readonly choice: Choice;
  readonly pinned: number;
}

/** All interrupts of a CPU, or of a core. `fixed`: those that are there and can't be moved. */
export interface LoadArc extends Channel {
  readonly kind: "cpu" | "core";
  readonly fixed: number;
}

/** Interrupts of a group for which no CPU has a vector left. */
interface UnplacedArc extends Channel {
  readonly kind: "unplaced";
}

export type Arc = ChoiceArc | LoadArc | UnplacedArc;

export interface Network {
  readonly nodes: readonly Node[];
  readonly arcs: readonly Arc[];
  /** The choices of each group, in the order of the groups. */
  readonly choices: readonly (readonly ChoiceArc[])[];
}

/**
 * Interrupts per CPU that can't be moved, and how many a CPU can take, those included; a CPU without an entry: any number. What
 * is there already may stay, also if it is too much; on a CPU that can take none (0) nothing comes in place of what leaves.
 */
export interface CpuLimits {
  readonly fixedLoad: ReadonlyMap<number, number>;
  readonly capacity: ReadonlyMap<number, number>;
}

/** The network of the groups, in a first state: what is pinned is where it is, each other interrupt on the lightest CPU. */
export function createNetwork(
  topology: CpuTopology,
  groups: readonly IrqGroup[],
  limits: CpuLimits,
): Network {
  const out = createNode();
  const loads = createLoadArcs(topology, groups, limits, out);
  const arcs = groups.map((group) => createGroupArcs(group, loads, out));
  for (const { choices } of arcs) for (const arc of choices) add(arc, loads, arc.pinned);
  for (const [at, { choices, unplaced }] of arcs.entries()) {
    const fresh = groups[at]?.irqs.filter(({ cpu }) => cpu === undefined) ?? [];
    for (const _irq of fresh) addToLightest(choices, loads, unplaced);
  }
  const all = [
    ...arcs.flatMap(({ choices }) => choices),
    ...arcs.map(({ unplaced }) => unplaced),
    ...new Set([...loads.values()].flatMap(({ cpu, core }) => [cpu, core])),
  ];
  const nodes = [...new Set(all.map(({ from }) => from)), out];
  for (const [index, node] of nodes.entries()) node.index = index;
  return {
    nodes,
    arcs: all,
    choices: arcs.map(({ choices }) => choices),
  };
}

/** `isFull`: only what is there already may be there. */
type Loads = ReadonlyMap<number, { readonly cpu: LoadArc; readonly core: LoadArc; readonly isFull: boolean }>;

function createLoadArcs(
  topology: CpuTopology,
  groups: readonly IrqGroup[],
  { fixedLoad, capacity }: CpuLimits,
  out: Node,
): Loads {
  const pinned = countBy(groups.flatMap(({ irqs }) => irqs.map(({ cpu }) => cpu)));
  const fixedOfCore = new Map<string, number>();
  for (const [cpu, count] of fixedLoad) {
    const core = coreOf(topology, cpu);
    fixedOfCore.set(core, (fixedOfCore.get(core) ?? 0) + count);
  }
  const cores = new Map<string, LoadArc>();
  const cpus = new Set(groups.flatMap(({ choices }) => choices.map(({ cpu }) => cpu)));
  return new Map(
    [...cpus]
      .toSorted((a, b) => a - b)
      .map((cpu) => {
        const name = coreOf(topology, cpu);
        const core = cores.get(name) ?? createLoadArc("core", out, fixedOfCore.get(name) ?? 0, Infinity);
        cores.set(name, core);
        const fixed = fixedLoad.get(cpu) ?? 0;
        // What is there already is allowed to stay.
        const room = (capacity.get(cpu) ?? Infinity) - fixed;
        const most = Math.max(room, pinned.get(cpu) ?? 0);
        return [cpu, { cpu: createLoadArc("cpu", core.from, fixed, most), core, isFull: room <= 0 }] as const;
      }),
  );
}

function createGroupArcs(
  { choices, irqs }: IrqGroup,
  loads: Loads,
  out: Node,
): { readonly choices: readonly ChoiceArc[]; readonly unplaced: UnplacedArc } {
  const from = createNode();
  const pinned = countBy(irqs.map(({ cpu }) => cpu));
  return {
    choices: choices.flatMap((choice): readonly ChoiceArc[] => {
      const load = loads.get(choice.cpu);
      if (load === undefined) return [];
      const count = pinned.get(choice.cpu) ?? 0;
      // A vector is free again some time after its interrupt went: until then nothing can come in its place.
      const capacity = load.isFull ? count : Infinity;
      return [{ kind: "choice", choice, pinned: count, from, to: load.cpu.from, capacity, flow: 0 }];
    }),
    unplaced: { kind: "unplaced", from, to: out, capacity: pinned.get(undefined) ?? 0, flow: 0 },
  };
}

function addToLightest(choices: readonly ChoiceArc[], loads: Loads, unplaced: UnplacedArc): void {
  let best: ChoiceArc | undefined;
  let least = { core: Infinity, cpu: Infinity };
  for (const arc of choices) {
    const load = loads.get(arc.choice.cpu);
    if (load === undefined || load.cpu.flow >= load.cpu.capacity) continue;
    const now = { core: load.core.fixed + load.core.flow, cpu: load.cpu.fixed + load.cpu.flow };
    if (now.core < least.core || (now.core === least.core && now.cpu < least.cpu)) {
      best = arc;
      least = now;
    }
  }
  if (best === undefined) unplaced.flow += 1;
  else add(best, loads, 1);
}

function add(arc: ChoiceArc, loads: Loads, count: number): void {
  const load = loads.get(arc.choice.cpu);
  arc.flow += count;
  if (load === undefined) return;
  load.cpu.flow += count;
  load.core.flow += count;
}

function createNode(): Node {
  return { index: 0, potentials: [] };
}

function createLoadArc(kind: LoadArc["kind"], to: Node, fixed: number, capacity: number): LoadArc {
  return { kind, from: createNode(), to, fixed, capacity, flow: 0 };
}

function coreOf(topology: CpuTopology, cpu: number): string {
  return topology.cpus.get(cpu)?.core ?? `${cpu}`;
}

function countBy<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
