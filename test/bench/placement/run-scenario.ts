// Runs one strategy through the events of a scenario, and measures it against an optimal semi-matching of each moment.

import { irqKey } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { findLeastLoads } from "../../support/semi-matching.ts";
import { NodeLoad } from "./node-load.ts";
import { listEvents, type PodEvent, type Scenario, topologyOf } from "./scenarios.ts";
import type { Placement, Strategy } from "./strategies.ts";

/** `mean` and `worst` over the events; loads are highest load / least possible highest load, 1 is optimal. */
export interface StrategyFigures {
  readonly coreLoad: { readonly mean: number; readonly worst: number };
  readonly cpuLoad: { readonly mean: number; readonly worst: number };
  readonly movesPerEvent: number;
  readonly msPerEvent: { readonly mean: number; readonly median: number; readonly p99: number };
  /** Part of the interrupts, over all events, that were on a CPU their policy does not allow. */
  readonly outsideCandidates: number;
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
  return [...listEvents(scenario, topology, seed)].map(({ irqs }) => {
    const coresOf = memoize((cpus: readonly number[]) => [...new Set(cpus.map((cpu) => load.coreOf(cpu)))]);
    const cpusOf = memoize((cpus: readonly number[]) => cpus.map(String));
    const least = (binsOf: (cpus: readonly number[]) => readonly string[]): number =>
      findLeastLoads(
        irqs.map(({ candidates }) => binsOf(candidates)),
        new Map(),
      )[0] ?? 0;
    return { irqs, leastCore: least(coresOf), leastCpu: least(cpusOf) };
  });
}

/** The figures of `place` over the moments. */
export function runStrategy(
  topology: CpuTopology,
  moments: readonly Moment[],
  place: Strategy,
): StrategyFigures {
  let now: Placement = new Map();
  let moves = 0;
  let outside = 0;
  const times: number[] = [];
  const cores: number[] = [];
  const cpus: number[] = [];
  for (const { irqs, leastCore, leastCpu } of moments) {
    const kept = keepAttached(irqs, now);
    const startMs = performance.now();
    now = place(topology, irqs, kept);
    times.push(performance.now() - startMs);
    moves += [...kept].filter(([key, cpu]) => now.get(key) !== cpu).length;
    outside +=
      irqs.filter((irq) => !irq.candidates.includes(now.get(irqKey(irq)) ?? -1)).length / irqs.length || 0;
    const load = new NodeLoad(topology, now.values());
    if (irqs.length === 0) continue;
    cores.push(Math.max(...load.cores) / leastCore);
    cpus.push(Math.max(...load.cpus) / leastCpu);
  }
  return {
    coreLoad: { mean: mean(cores), worst: round(Math.max(...cores)) },
    cpuLoad: { mean: mean(cpus), worst: round(Math.max(...cpus)) },
    movesPerEvent: round(moves / moments.length),
    msPerEvent: { mean: mean(times), median: quantile(times, 0.5), p99: quantile(times, 0.99) },
    outsideCandidates: round(outside / moments.length),
  };
}

function keepAttached(irqs: readonly IrqToPlace[], now: Placement): Placement {
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

function mean(values: readonly number[]): number {
  return round(values.reduce((sum, value) => sum + value, 0) / values.length);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round(sorted[Math.round(part * (sorted.length - 1))] ?? 0);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
