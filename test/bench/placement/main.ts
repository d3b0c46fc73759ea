// `npm run -s bench:placement -- --help`: placement of interrupts, computed only.

import { cpus } from "node:os";

import { readBenchFlags } from "../bench-flags.ts";
import { machine, reportFigures } from "../report-figures.ts";
import { measureColdPlans } from "./cold-plan.ts";
import { measureScenario } from "./measure-scenario.ts";
import { formatScenario } from "./progress.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

const values = readBenchFlags("placement", "where interrupts are put while pods come and go, computed only", {
  events: { type: "string", value: "N", help: "pod events of each run (default: the scenario's own number)" },
  seed: {
    type: "string",
    value: "N",
    default: "1",
    help: "of the first run of each scenario; the next have those that follow",
  },
});
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
