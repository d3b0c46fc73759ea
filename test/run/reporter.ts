// A vitest reporter that prints what tests tell of themselves, and writes the counts and the reason of each skipped test to the file named by VIRTFN_REPORT.

import { writeFileSync } from "node:fs";
import type { Reporter, TestCase } from "vitest/node";

/** Collects results while the run goes on; writes them once at its end. */
export default class CountsReporter implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: [] as { name: string; reason: string }[] };

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "passed") this.#counts.passed += 1;
    if (result.state === "failed") this.#counts.failed += 1;
    if (result.state === "skipped") {
      const reason = result.note ?? "its name says why";
      this.#counts.skipped.push({ name: test.fullName, reason });
    }
  }

  /** Figures that a test tells: the default reporter keeps them to itself. */
  onTestCaseAnnotate(test: TestCase, { message }: { readonly message: string }): void {
    console.log(`   ${test.name}: ${message}`);
  }

  onTestRunEnd(modules: readonly { errors(): readonly unknown[] }[], errors: readonly unknown[]): void {
    // A file that does not load has no test cases, and must not look like success.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const path = process.env["VIRTFN_REPORT"];
    const counts = { ...this.#counts, failed: this.#counts.failed + broken + errors.length };
    if (path !== undefined) writeFileSync(path, JSON.stringify(counts));
  }
}
