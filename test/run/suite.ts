// One suite of the whole run: a vitest project or a check, with its time and its counts.

import { execa } from "execa";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a suite came to; `reasons` are one line for each skipped test. */
export interface SuiteResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly reasons: readonly string[];
  readonly seconds: number;
}

/** What test/run/reporter.ts writes. */
export interface ReportedCounts {
  readonly passed: number;
  readonly failed: number;
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
    const failed = run.exitCode === 0 ? 0 : 1;
    return { passed: 1 - failed, failed, skipped: [] };
  });
}

/** A row for each suite, the reasons of what was skipped, and the sum as the last line: "N passed, N failed", with ", N skipped" if any. */
export function formatSummary(all: readonly SuiteResult[]): string {
  const rows = all.map(({ name, passed, failed, skipped, seconds }) => {
    const cells = [passed, failed, skipped].map((count) => String(count).padStart(8)).join("");
    return `${name.padEnd(15)}${cells}${seconds.toFixed(1).padStart(10)}`;
  });
  const reasons = all.flatMap((result) => result.reasons.map((reason) => `skipped: ${reason}`));
  const sum = (pick: (result: SuiteResult) => number): number =>
    all.reduce((total, result) => total + pick(result), 0);
  const skipped = sum((result) => result.skipped);
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  const last = `${sum((result) => result.passed)} passed, ${sum((result) => result.failed)} failed${tail}`;
  return ["suite            passed  failed  skipped   seconds", ...rows, ...reasons, last].join("\n");
}

async function timed(name: string, run: () => Promise<ReportedCounts>): Promise<SuiteResult> {
  process.stderr.write(`\n==> ${name}\n`);
  const start = performance.now();
  const { passed, failed, skipped } = await run();
  return {
    name,
    passed,
    failed,
    skipped: skipped.length,
    reasons: skipped.map((test) => `${test.name}: ${test.reason}`),
    seconds: (performance.now() - start) / 1000,
  };
}

async function readCounts(report: string, exitCode: number | undefined): Promise<ReportedCounts> {
  try {
    const counts = JSON.parse(await readFile(report, "utf8")) as ReportedCounts;
    const isHiddenFailure = exitCode !== 0 && counts.failed === 0;
    return isHiddenFailure ? { ...counts, failed: 1 } : counts;
  } catch (error) {
    process.stderr.write(`no report from vitest (exit ${exitCode}): ${String(error)}\n`);
    return { passed: 0, failed: 1, skipped: [] };
  }
}
