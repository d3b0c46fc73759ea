// `npm run -s bench:placement -- --json [--out DIR] [--events N] [--seed N]`: one JSON object on stdout, progress on stderr.

import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { measureColdPlans } from "./cold-plan.ts";
import { measureScenario } from "./measure-scenario.ts";
import { formatScenario } from "./progress.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

const flags = {
  ...reportFlags,
  /** Pod events of each run, instead of the scenario's own number. */
  events: { type: "string" },
  /** Of the first run of each scenario; those after it have the seeds that follow. */
  seed: { type: "string", default: "1" },
} as const;

const { values } = parseArgs({ options: flags });
const results = scenarios.map((scenario) =>
  measure({ ...scenario, events: Number(values.events ?? scenario.events) }, Number(values.seed)),
);
const coldPlans = measureColdPlans(Number(values.seed));
for (const { name, ms } of coldPlans) console.error(`first plan, ${name}: ${ms} ms`);
const figures = {
  what: "placement of interrupts, computed only: nothing is written to an interrupt controller",
  machine: { ...machine, model: cpus()[0]?.model },
  seed: Number(values.seed),
  scenarios: results,
  coldPlans,
};
await reportFigures("placement", figures, values);

function measure(scenario: Scenario, seed: number): object {
  console.error(`${scenario.name}: ${scenario.runs} x ${scenario.events} pod events`);
  const measured = measureScenario(scenario, seed);
  console.error(formatScenario(scenario, measured));
  return { ...scenario, ...measured };
}
