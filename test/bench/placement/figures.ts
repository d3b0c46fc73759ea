// The figures of many events in one: means, quantiles, and how they depend on the number of pods.

import type { EventResult } from "./run-scenario.ts";

/** `mean` and `worst` over the events. */
export interface StrategyFigures {
  readonly coreLoad: { readonly mean: number; readonly worst: number };
  readonly cpuLoad: { readonly mean: number; readonly worst: number };
  readonly movesPerEvent: number;
  readonly forcedMovesPerEvent: number;
  /** `slowest`: of the event that takes longest, the least of its times. */
  readonly msPerEvent: {
    readonly mean: number;
    readonly median: number;
    readonly p99: number;
    readonly slowest: number;
  };
  /** Part of the interrupts, over all events, that were on a CPU their policy does not allow. */
  readonly outsideCandidates: number;
}

/** Events after which there were `from` to `to` pods. */
export interface PodsFigures {
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly movesPerEvent: number;
  readonly forcedMovesPerEvent: number;
}

export function summarise(results: readonly EventResult[]): StrategyFigures {
  // A node without pods has no load to compare.
  const loaded = results.filter(({ pods }) => pods > 0);
  const coreLoads = loaded.map(({ coreLoad }) => coreLoad);
  const cpuLoads = loaded.map(({ cpuLoad }) => cpuLoad);
  const times = results.map(({ ms }) => ms);
  return {
    coreLoad: { mean: mean(coreLoads), worst: round(Math.max(...coreLoads)) },
    cpuLoad: { mean: mean(cpuLoads), worst: round(Math.max(...cpuLoads)) },
    movesPerEvent: mean(results.map(({ moves }) => moves)),
    forcedMovesPerEvent: mean(results.map(({ forcedMoves }) => forcedMoves)),
    msPerEvent: {
      mean: mean(times),
      median: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      slowest: round(Math.max(...results.map(({ leastMs }) => leastMs))),
    },
    outsideCandidates: mean(results.map(({ outside }) => outside)),
  };
}

/** Moves by the part of the VFs that pods have: a quarter of them, two, three, all; without those that never occurred. */
export function groupByPods(results: readonly EventResult[], vfs: number): readonly PodsFigures[] {
  return [1, 2, 3, 4].flatMap((quarter) => {
    const from = quarter === 1 ? 0 : Math.floor(((quarter - 1) * vfs) / 4) + 1;
    const to = Math.floor((quarter * vfs) / 4);
    const these = results.filter(({ pods }) => pods >= from && pods <= to);
    if (these.length === 0) return [];
    const movesPerEvent = mean(these.map(({ moves }) => moves));
    const forcedMovesPerEvent = mean(these.map(({ forcedMoves }) => forcedMoves));
    return [{ from, to, events: these.length, movesPerEvent, forcedMovesPerEvent }];
  });
}

export function meanPods(results: readonly EventResult[]): number {
  return mean(results.map(({ pods }) => pods));
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
