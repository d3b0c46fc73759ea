// Tests test/bench/network/write-results.ts, in a real folder.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Measurement } from "../../../bench/network/measurement.ts";
import { openRuns } from "../../../bench/network/write-results.ts";

const label = "no hardware, functional only";
const [first, second] = [1, 2].map((round) => ({ round }) as Measurement);
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "virtfn-bench-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

test("the files of a bench before go with the first measurement, not with a bench that is refused", () => {
  for (const name of ["runs.jsonl", "runs.csv", "results.json", "report.html", "mine"])
    fs.writeFileSync(join(folder, name), "before");
  const measured = openRuns(folder, label);
  expect(fs.readFileSync(join(folder, "runs.jsonl"), "utf8")).toBe("before");
  for (const one of [first, second]) if (one !== undefined) measured(one);
  expect(fs.readdirSync(folder)).toEqual(["mine", "runs.jsonl"]);
  const lines = fs.readFileSync(join(folder, "runs.jsonl"), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { label, round: 1 },
    { label, round: 2 },
  ]);
});

test("a folder in which nothing can be written is told at once", () => {
  fs.writeFileSync(join(folder, "file"), "");
  expect(() => openRuns(join(folder, "file"), label)).toThrow(/EEXIST|ENOTDIR/u);
  fs.mkdirSync(join(folder, "runs.jsonl"));
  expect(() => openRuns(folder, label)).toThrow("EISDIR");
});
