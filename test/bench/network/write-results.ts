// The files of a bench: every measurement as it comes, and at the end the tables, the results and the report.

import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Label } from "./label.ts";
import type { Measurement } from "./measurement.ts";
import { renderReport } from "./report/page.ts";
import type { Results } from "./results.ts";
import { formatCsv, formatJsonLines } from "./table-text.ts";

const names = {
  runs: "runs.jsonl",
  csv: "runs.csv",
  results: "results.json",
  report: "report.html",
} as const;

/**
 * What it gives adds a measurement to runs.jsonl in `folder`, so that a bench that is ended early leaves what it has. The files of a bench
 * before go with the first measurement: one that is refused leaves them. Throws at once when nothing can be written there.
 */
export function openRuns(folder: string, label: Label): (measurement: Measurement) => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, names.runs);
  appendFileSync(path, "");
  let isFirst = true;
  return (measurement) => {
    if (isFirst) for (const name of Object.values(names)) rmSync(join(folder, name), { force: true });
    isFirst = false;
    appendFileSync(path, formatJsonLines(label, [measurement]));
  };
}

/** Writes runs.csv, results.json and report.html. */
export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, names.csv), formatCsv(results));
  writeFileSync(join(folder, names.results), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, names.report), renderReport(results));
}
