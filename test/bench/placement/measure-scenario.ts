// All strategies through all runs of a scenario.

import { type FlowExcess, measureExcess, sumExcess } from "./flow-excess.ts";
import { groupByPods, meanPods, type PodsFigures, type StrategyFigures, summarise } from "./figures.ts";
import { type EventResult, listMoments, runStrategy } from "./run-scenario.ts";
import { type Scenario, topologyOf } from "./scenarios.ts";
import { createStrategies } from "./strategies.ts";

/** `pods`: how many there were after an event, on average. */
export interface RunFigures {
  readonly seed: number;
  readonly pods: number;
  readonly strategies: Readonly<Record<string, StrategyFigures>>;
}

/** Of all runs together, of virtfn by the number of pods, and of each run. */
export interface ScenarioFigures extends Omit<RunFigures, "seed"> {
  readonly byPods: readonly PodsFigures[];
  /** Of virtfn over a flow of least cost. */
  readonly excess: FlowExcess;
  readonly perRun: readonly RunFigures[];
}

/** What each strategy did at each event, by its name. */
type Results = Readonly<Record<string, readonly EventResult[]>>;

/** Of each plan of virtfn. */
const timings = 5;

/** Of each run: the flow of a large node takes seconds. */
const flowSamples = 5;

export function measureScenario(scenario: Scenario, firstSeed: number): ScenarioFigures {
  const seeds = Array.from({ length: scenario.runs }, (_, at) => firstSeed + at);
  const runs = seeds.map((seed) => Object.assign(runAll(scenario, seed), { seed }));
  const all = joinResults(runs.map(({ results }) => results));
  return {
    ...summariseAll(all),
    byPods: groupByPods(all["virtfn"] ?? [], scenario.vfs),
    excess: sumExcess(runs.map(({ excess }) => excess)),
    perRun: runs.map(({ seed, results }) => Object.assign(summariseAll(results), { seed })),
  };
}

function runAll(
  scenario: Scenario,
  seed: number,
): { readonly results: Results; readonly excess: FlowExcess } {
  const topology = topologyOf(scenario);
  const moments = listMoments(scenario, seed);
  const strategies = createStrategies(seed);
  return {
    results: mapValues(strategies, (place, name) =>
      runStrategy(topology, moments, place, name === "virtfn" ? timings : 1),
    ),
    excess: measureExcess(topology, moments, strategies.virtfn, flowSamples),
  };
}

function joinResults(runs: readonly Results[]): Results {
  return mapValues(runs[0] ?? {}, (_, name) => runs.flatMap((results) => results[name] ?? []));
}

function summariseAll(results: Results): Omit<RunFigures, "seed"> {
  return { pods: meanPods(results["virtfn"] ?? []), strategies: mapValues(results, summarise) };
}

function mapValues<From, To>(
  of: Readonly<Record<string, From>>,
  compute: (value: From, name: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, compute(value, name)]));
}
