// Runs one strategy through the events of a scenario, and measures it against an optimal semi-matching of each moment.

import { irqKey } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { findLeastLoads } from "../../support/semi-matching.ts";
import { countForcedMoves } from "./forced-moves.ts";
import { NodeLoad } from "./node-load.ts";
import { listEvents, type PodEvent } from "./pod-events.ts";
import { type Scenario, topologyOf } from "./scenarios.ts";
import type { Placement, Strategy } from "./strategies.ts";

/** What a strategy did at one event. Loads are highest load / least possible highest load, 1 is optimal. */
export interface EventResult {
  readonly pods: number;
  readonly coreLoad: number;
  readonly cpuLoad: number;
  readonly moves: number;
  /** Moves that any placement with the same loads needs, by counting. */
  readonly forcedMoves: number;
  readonly ms: number;
  /** The least of several times: without pauses of the runtime's collector and of the machine, which hit any event. */
  readonly leastMs: number;
  /** Part of the interrupts that are on a CPU their policy does not allow. */
  readonly outside: number;
}

/** A moment of a scenario with the highest loads of an optimal semi-matching over cores, and of one over CPUs. */
interface Moment extends PodEvent {
  readonly leastCore: number;
  readonly leastCpu: number;
}

/** The events of a scenario with what would be best at each: worked out once for all strategies. */
export function listMoments(scenario: Scenario, seed: number): readonly Moment[] {
  const topology = topologyOf(scenario);
  const load = new NodeLoad(topology, []);
  return [...listEvents(scenario, topology, seed)].map(({ pods, irqs }) => {
    const coresOf = memoize((cpus: readonly number[]) => [...new Set(cpus.map((cpu) => load.coreOf(cpu)))]);
    const cpusOf = memoize((cpus: readonly number[]) => cpus.map(String));
    const least = (binsOf: (cpus: readonly number[]) => readonly string[]): number =>
      findLeastLoads(
        irqs.map(({ candidates }) => binsOf(candidates)),
        new Map(),
      )[0] ?? 0;
    return { pods, irqs, leastCore: least(coresOf), leastCpu: least(cpusOf) };
  });
}

/** What `place` did at each of the moments; a pure one may be timed more than once at each. */
export function runStrategy(
  topology: CpuTopology,
  moments: readonly Moment[],
  place: Strategy,
  timings = 1,
): readonly EventResult[] {
  let now: Placement = new Map();
  return moments.map(({ pods, irqs, leastCore, leastCpu }) => {
    const kept = keepAttached(irqs, now);
    const times = Array.from({ length: timings }, () => {
      const startMs = performance.now();
      now = place(topology, irqs, kept);
      return performance.now() - startMs;
    });
    const load = new NodeLoad(topology, now.values());
    const isOutside = (irq: IrqToPlace): boolean => !irq.candidates.includes(now.get(irqKey(irq)) ?? -1);
    return {
      pods,
      coreLoad: pods === 0 ? 1 : Math.max(...load.cores) / leastCore,
      cpuLoad: pods === 0 ? 1 : Math.max(...load.cpus) / leastCpu,
      moves: [...kept].filter(([key, cpu]) => now.get(key) !== cpu).length,
      forcedMoves: countForcedMoves(topology, irqs, kept, now),
      ms: times[0] ?? 0,
      leastMs: Math.min(...times),
      outside: irqs.filter(isOutside).length / irqs.length || 0,
    };
  });
}

/** What is left of `now` when pods went. */
export function keepAttached(irqs: readonly IrqToPlace[], now: Placement): Placement {
  return new Map(
    irqs.flatMap((irq) => {
      const cpu = now.get(irqKey(irq));
      return cpu === undefined ? [] : [[irqKey(irq), cpu] as const];
    }),
  );
}

function memoize<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}
