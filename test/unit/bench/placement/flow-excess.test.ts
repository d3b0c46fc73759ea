// Tests test/bench/placement/flow-excess.ts: the flow has nothing over virtfn, and something over what is not the best.

import { expect, test } from "vitest";

import { measureExcess } from "../../../bench/placement/flow-excess.ts";
import { listMoments } from "../../../bench/placement/run-scenario.ts";
import { type Scenario, scenarios, topologyOf } from "../../../bench/placement/scenarios.ts";
import { createStrategies } from "../../../bench/placement/strategies.ts";

const seed = 1;
const strategies = createStrategies(seed);

function measure(scenario: Scenario, name: keyof typeof strategies, events: number, samples: number) {
  const moments = listMoments({ ...scenario, events }, seed);
  return measureExcess(topologyOf(scenario), moments, strategies[name], samples);
}

test.each(scenarios.filter(({ vfs }) => vfs <= 64))("virtfn has none in '$name'", (scenario) => {
  expect(measure(scenario, "virtfn", 120, 6)).toEqual({ events: 6, loads: 0, moves: 0 });
});

const [small] = scenarios;

test("loads that are not the least, and moves that are not needed, are found", () => {
  if (small === undefined) throw new Error("there are no scenarios");
  expect(measure(small, "per-device spread", 100, 100).loads).toBeGreaterThan(50);
  const { events, loads, moves } = measure(small, "rebuild", 100, 100);
  expect({ events, loads }).toEqual({ events: 100, loads: 0 });
  expect(moves).toBeGreaterThan(20);
});
