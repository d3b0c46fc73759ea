// One suite of the whole run: a vitest project or a check, with its time and its counts.

import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a suite came to; `notes` are one line for each test that failed or was skipped. */
export interface SuiteResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notes: readonly string[];
  readonly seconds: number;
}

/** What test/run/reporter.ts writes. */
export interface ReportedCounts {
  readonly passed: number;
  readonly failures: readonly { readonly name: string; readonly error: string }[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

/** Runs one vitest project under Bun; a run that wrote no report counts as one failure. */
export async function runProject(project: string): Promise<SuiteResult> {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-report-"));
  try {
    const report = join(folder, "report.json");
    const args = ["--bun", "vitest", "run", "--project", project, "--passWithNoTests"];
    const reporters = ["--reporter=default", "--reporter=./test/run/reporter.ts"];
    return await timed(project, async () => {
      const run = await execa("node_modules/.bin/bun", [...args, ...reporters], {
        stdio: ["ignore", "inherit", "inherit"],
        env: { VIRTFN_REPORT: report },
        reject: false,
      });
      return readCounts(report, run.exitCode);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs one command as a single test: it passes when it exits 0. */
export async function runCommand(
  name: string,
  command: string,
  args: readonly string[],
): Promise<SuiteResult> {
  return timed(name, async () => {
    const run = await execa(command, args, { stdio: ["ignore", "inherit", "inherit"], reject: false });
    if (run.exitCode === 0) return { passed: 1, failures: [], skipped: [] };
    return { passed: 0, failures: [{ name, error: `exit ${run.exitCode}` }], skipped: [] };
  });
}

/** A row for each suite, a line for what was skipped and what failed, and the sum as the last line: "N passed, N failed", with ", N skipped" if any. */
export function formatSummary(all: readonly SuiteResult[]): string {
  const rows = all.map(({ name, passed, failed, skipped, seconds }) => {
    const cells = [passed, failed, skipped].map((count) => String(count).padStart(8)).join("");
    return `${name.padEnd(15)}${cells}${seconds.toFixed(1).padStart(10)}`;
  });
  const notes = all.flatMap((result) => result.notes);
  const sum = (pick: (result: SuiteResult) => number): number =>
    all.reduce((total, result) => total + pick(result), 0);
  const skipped = sum((result) => result.skipped);
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  const last = `${sum((result) => result.passed)} passed, ${sum((result) => result.failed)} failed${tail}`;
  return ["suite            passed  failed  skipped   seconds", ...rows, ...notes, last].join("\n");
}

async function timed(name: string, run: () => Promise<ReportedCounts>): Promise<SuiteResult> {
  process.stderr.write(`\n==> ${name}\n`);
  const start = performance.now();
  const { passed, failures, skipped } = await run();
  return {
    name,
    passed,
    failed: failures.length,
    skipped: skipped.length,
    notes: [
      ...skipped.map((test) => `skipped: ${test.name}: ${test.reason}`),
      ...failures.map((test) => `failed: ${test.name}: ${test.error}`),
    ],
    seconds: (performance.now() - start) / 1000,
  };
}

async function readCounts(report: string, exitCode: number | undefined): Promise<ReportedCounts> {
  try {
    const counts = JSON.parse(await readFile(report, "utf8")) as ReportedCounts;
    const isHiddenFailure = exitCode !== 0 && counts.failures.length === 0;
    return isHiddenFailure
      ? { ...counts, failures: [{ name: "vitest", error: `exit ${exitCode}` }] }
      : counts;
  } catch (error) {
    process.stderr.write(`no report from vitest (exit ${exitCode}): ${String(error)}\n`);
    return { passed: 0, failures: [{ name: "vitest", error: `no report, exit ${exitCode}` }], skipped: [] };
  }
}
