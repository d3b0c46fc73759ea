// What was measured, as lines for people.

import type { FlowExcess } from "./flow-excess.ts";
import type { PodsFigures, StrategyFigures } from "./figures.ts";
import type { RunFigures, ScenarioFigures } from "./measure-scenario.ts";
import type { Scenario } from "./scenarios.ts";

export function formatScenario({ goals }: Scenario, figures: ScenarioFigures): string {
  return [
    ...Object.entries(figures.strategies).map(([name, of]) => formatLine(name, formatStrategy(of))),
    formatLine("goal", `cores 1, CPUs 1, ${goals.movesPerEvent} moves, ${goals.msPerEvent} ms`),
    formatLine("flow", formatExcess(figures.excess)),
    ...figures.byPods.map((of) => formatLine(`${of.from} to ${of.to} pods`, formatByPods(of))),
    ...figures.perRun.map((of) => formatLine(`seed ${of.seed}`, formatRun(of))),
  ].join("\n");
}

function formatLine(name: string, text: string): string {
  return `  ${name.padEnd(20)} ${text}`;
}

function formatStrategy(figures: StrategyFigures): string {
  const { coreLoad, cpuLoad, movesPerEvent, msPerEvent, outsideCandidates } = figures;
  return (
    `cores ${coreLoad.mean} (worst ${coreLoad.worst}), CPUs ${cpuLoad.mean} (worst ${cpuLoad.worst}), ` +
    `${movesPerEvent} moves, ${msPerEvent.median} ms (mean ${msPerEvent.mean}, p99 ${msPerEvent.p99}, slowest event ${msPerEvent.slowest} at best)` +
    (outsideCandidates > 0 ? `, ${outsideCandidates} outside their candidates` : "")
  );
}

function formatExcess({ events, loads, moves }: FlowExcess): string {
  return `excess of virtfn over a flow of least cost: other loads in ${loads} of ${events} events, ${moves} more moves in the others`;
}

function formatByPods({ events, movesPerEvent, forcedMovesPerEvent }: PodsFigures): string {
  return `${movesPerEvent} moves of virtfn, at least ${forcedMovesPerEvent} by counting (${events} events)`;
}

function formatRun({ pods, strategies }: RunFigures): string {
  const each = Object.entries(strategies).map(
    ([name, { cpuLoad, movesPerEvent }]) => `${name} ${cpuLoad.mean} / ${movesPerEvent} moves`,
  );
  return `${pods} pods, ${each.join(", ")}`;
}
