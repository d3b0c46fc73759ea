// The goals of bench:placement that are no times, in short runs of its scenarios: a bench that misses one only prints it.

import { expect, test } from "vitest";

import { summarise } from "../../../bench/placement/figures.ts";
import { listMoments, runStrategy } from "../../../bench/placement/run-scenario.ts";
import { type Scenario, scenarios, topologyOf } from "../../../bench/placement/scenarios.ts";
import { createStrategies } from "../../../bench/placement/strategies.ts";

const seed = 1;

function run(scenario: Scenario) {
  // More of the largest take seconds.
  const events = scenario.vfs > 64 ? 200 : 300;
  const { virtfn } = createStrategies(seed);
  return summarise(runStrategy(topologyOf(scenario), listMoments({ ...scenario, events }, seed), virtfn));
}

const [limited, free] = [true, false].map((isLimited) =>
  scenarios.filter(({ limitedShare }) => limitedShare > 0 === isLimited),
);

test("scenarios of both kinds are there", () => {
  expect([limited?.length, free?.length]).toEqual([2, 5]);
});

test.each(free ?? [])("$name: the least loads, and no more moves than the goal", (scenario) => {
  const { coreLoad, cpuLoad, movesPerEvent, outsideCandidates } = run(scenario);
  expect({ core: coreLoad.worst, cpu: cpuLoad.worst, outsideCandidates }).toEqual({
    core: 1,
    cpu: 1,
    outsideCandidates: 0,
  });
  expect(movesPerEvent).toBeLessThanOrEqual(scenario.goals.movesPerEvent);
});

// The goal of 1.2 is missed where more than a quarter of the VFs is in use, as counting forces more: docs/performance.md, "The goal of
// 1.2 moves". There 1.78 moves of which 1.65 are forced; held here is the distance to what is forced, and that it stays below 2.
test.each(limited ?? [])("$name: the least loads, and hardly a move that is not forced", (scenario) => {
  const { coreLoad, cpuLoad, movesPerEvent, forcedMovesPerEvent, outsideCandidates } = run(scenario);
  expect({ core: coreLoad.worst, cpu: cpuLoad.worst, outsideCandidates }).toEqual({
    core: 1,
    cpu: 1,
    outsideCandidates: 0,
  });
  expect(movesPerEvent - forcedMovesPerEvent).toBeLessThanOrEqual(0.2);
  expect(movesPerEvent).toBeLessThanOrEqual(2);
});
