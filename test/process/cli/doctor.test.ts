// `virtfn doctor` as a process on this very machine, whatever it has, and that it leaves all as it is.

import { join } from "node:path";
import { expect, test } from "vitest";

import { checks } from "../../../cli/doctor/checks.ts";
import type { DoctorReport } from "../../support/call-doctor.ts";

const entry = join(import.meta.dirname, "../../../cli/main.ts");

test("every check says something, without a kubelet, an API server or a daemon, and the exit code tells of errors", async () => {
  const child = Bun.spawn([process.execPath, entry, "doctor", "--json"], { stdin: "ignore", stdout: "pipe" });
  const report = JSON.parse(await child.stdout.text()) as DoctorReport;
  expect(report.checks.map(({ check }) => check)).toEqual(checks.map(({ name }) => name));
  expect(report.checks.filter(({ findings }) => findings.length === 0)).toEqual([]);
  const severities = report.checks.flatMap(({ findings }) => findings.map(({ severity }) => severity));
  expect(await child.exited).toBe(severities.includes("error") ? 1 : 0);
});

test("the table has no line of more than 100 columns but for one long word, and no colours in a pipe", async () => {
  const child = Bun.spawn([process.execPath, entry, "doctor"], { stdin: "ignore", stdout: "pipe" });
  const text = await child.stdout.text();
  await child.exited;
  const long = text.split("\n").filter((line) => line.length > 100 && line.trim().includes(" "));
  expect(long).toEqual([]);
  expect(text).not.toContain("\u001B");
});
