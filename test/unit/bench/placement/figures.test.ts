// Tests test/bench/placement/figures.ts.

import { expect, test } from "vitest";

import { groupByPods, summarise } from "../../../bench/placement/figures.ts";
import type { EventResult } from "../../../bench/placement/run-scenario.ts";

function resultOf(pods: number, moves: number, cpuLoad = 1): EventResult {
  return { pods, moves, forcedMoves: 0, coreLoad: 1, cpuLoad, ms: 1, leastMs: 1, outside: 0 };
}

test("moves by quarters of the VFs: each number of pods in one, without those that never occurred", () => {
  const results = [0, 1, 2, 3, 6].map((pods) => resultOf(pods, pods));
  expect(groupByPods(results, 6)).toEqual([
    { from: 0, to: 1, events: 2, movesPerEvent: 0.5, forcedMovesPerEvent: 0 },
    { from: 2, to: 3, events: 2, movesPerEvent: 2.5, forcedMovesPerEvent: 0 },
    { from: 5, to: 6, events: 1, movesPerEvent: 6, forcedMovesPerEvent: 0 },
  ]);
});

test("an event that leaves no pod counts for moves, not for load", () => {
  const { cpuLoad, movesPerEvent } = summarise([resultOf(0, 0), resultOf(1, 1, 2), resultOf(2, 2, 4)]);
  expect(cpuLoad).toEqual({ mean: 3, worst: 4 });
  expect(movesPerEvent).toBe(1);
});

test("the slowest event is that whose least time is the highest", () => {
  const [first, second] = [resultOf(1, 0), resultOf(1, 0)];
  const results = [
    { ...first, ms: 9, leastMs: 1 },
    { ...second, ms: 3, leastMs: 2 },
  ];
  expect(summarise(results).msPerEvent).toMatchObject({ mean: 6, slowest: 2 });
});
