// The files of a bench: every measurement as it comes, and at the end the tables, the results and the report.

import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Label } from "./label.ts";
import type { Measurement } from "./measurement.ts";
import { renderReport } from "./report/page.ts";
import type { Results } from "./results.ts";
import { formatCsv, formatJsonLines } from "./table-text.ts";

/** Empties runs.jsonl in `folder`; what it gives adds a measurement, so that a bench that is ended early leaves what it has. */
export function openRuns(folder: string, label: Label): (measurement: Measurement) => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "runs.jsonl");
  rmSync(path, { force: true });
  return (measurement) => appendFileSync(path, formatJsonLines(label, [measurement]));
}

/** Writes runs.csv, results.json and report.html. */
export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "runs.csv"), formatCsv(results));
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, "report.html"), renderReport(results));
}
