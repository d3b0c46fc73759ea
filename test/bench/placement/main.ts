// `npm run -s bench:placement -- --json [--out DIR] [--events N] [--seed N]`: one JSON object on stdout, progress on stderr.

import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { listMoments, runStrategy } from "./run-scenario.ts";
import { type Scenario, scenarios, topologyOf } from "./scenarios.ts";
import { strategies } from "./strategies.ts";

const flags = {
  ...reportFlags,
  /** Pod events of each scenario, instead of its own number. */
  events: { type: "string" },
  seed: { type: "string", default: "1" },
} as const;

const { values } = parseArgs({ options: flags });
const results = scenarios.map((scenario) =>
  measure({ ...scenario, events: Number(values.events ?? scenario.events) }, Number(values.seed)),
);
const figures = {
  what: "placement of interrupts, computed only: nothing is written to an interrupt controller",
  machine: { ...machine, model: cpus()[0]?.model },
  seed: Number(values.seed),
  scenarios: results,
};
await reportFigures("placement", figures, values);

function measure(scenario: Scenario, seed: number): object {
  console.error(`${scenario.name}: ${scenario.events} pod events`);
  const topology = topologyOf(scenario);
  const moments = listMoments(scenario, seed);
  const measured = Object.entries(strategies).map(([name, place]) => {
    const result = runStrategy(topology, moments, place);
    const { coreLoad, cpuLoad, movesPerEvent, msPerEvent, outsideCandidates } = result;
    console.error(
      `  ${name.padEnd(20)} cores ${coreLoad.mean} (worst ${coreLoad.worst}), CPUs ${cpuLoad.mean} (worst ${cpuLoad.worst}), ` +
        `${movesPerEvent} moves, ${msPerEvent.median} ms (mean ${msPerEvent.mean}, p99 ${msPerEvent.p99})` +
        (outsideCandidates > 0 ? `, ${outsideCandidates} outside their candidates` : ""),
    );
    return [name, result] as const;
  });
  const { movesPerEvent, msPerEvent } = scenario.goals;
  console.error(`  ${"goal".padEnd(20)} cores 1, CPUs 1, ${movesPerEvent} moves, ${msPerEvent} ms`);
  return { ...scenario, strategies: Object.fromEntries(measured) };
}
