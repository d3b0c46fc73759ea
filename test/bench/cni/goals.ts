// What the product promises of single calls, beside what was measured.

import type { NativeFigures } from "./native-order.ts";
import type { StartFigures } from "./start-time.ts";

export interface GoalRow {
  readonly call: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly goalMs: number;
}

/** An ADD that cannot succeed ends within this time. */
const failedAddMs = 500;

/** A row for each call that has a goal of its own: those that do next to nothing, and ADDs that fail. */
export function listGoals(start: StartFigures, native: readonly NativeFigures[]): readonly GoalRow[] {
  const idle = start.calls.map(({ call, overEmptyMs, goalOverEmptyMs }) => ({
    call: `${call}, over an empty executable`,
    p50Ms: overEmptyMs.median,
    p95Ms: overEmptyMs.p95,
    goalMs: goalOverEmptyMs,
  }));
  const failed = native.flatMap(({ failure, contender, addMs }) =>
    failure === undefined
      ? []
      : { call: `ADD that fails: ${contender}`, p50Ms: addMs.median, p95Ms: addMs.p95, goalMs: failedAddMs },
  );
  return [...idle, ...failed];
}

/** A line for each row. */
export function formatGoals(rows: readonly GoalRow[]): string {
  const width = Math.max(...rows.map(({ call }) => call.length));
  const lines = rows.map(
    ({ call, p50Ms, p95Ms, goalMs }) =>
      `${call.padEnd(width)}  p50 ${p50Ms.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms (goal ${goalMs} ms)`,
  );
  return lines.join("\n");
}
