// A vitest reporter that prints what tests tell of themselves, and writes the counts, each failure and the reason of each skipped test to the file named by VIRTFN_REPORT.

import { writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, TestCase, TestModule } from "vitest/node";

import type { ReportedCounts } from "./suite.ts";

type Failure = ReportedCounts["failures"][number];

/** Collects results while the run goes on; writes them once at its end. */
export default class CountsReporter implements Reporter {
  #passed = 0;
  readonly #failures: Failure[] = [];
  readonly #skipped: { name: string; reason: string }[] = [];

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "passed") this.#passed += 1;
    if (result.state === "failed") {
      this.#failures.push(failure(`${test.module.relativeModuleId} > ${test.fullName}`, result.errors));
    }
    if (result.state === "skipped") {
      const reason = result.note ?? "its name says why";
      this.#skipped.push({ name: test.fullName, reason });
    }
  }

  /** Figures that a test tells: the default reporter keeps them to itself. */
  onTestCaseAnnotate(test: TestCase, { message }: { readonly message: string }): void {
    console.log(`   ${test.name}: ${message}`);
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly Cause[]): void {
    // A file that does not load has no test cases, and must not look like success; hooks fail a file or a group, not a test.
    for (const module of modules) {
      const groups = [module, ...module.children.allSuites()].filter((group) => group.errors().length > 0);
      for (const group of groups) {
        const within = group.type === "suite" ? ` > ${group.fullName}` : "";
        this.#failures.push(failure(`${module.relativeModuleId}${within}`, group.errors()));
      }
    }
    for (const error of errors) this.#failures.push(failure("outside of any test", [error]));
    const path = process.env["VIRTFN_REPORT"];
    const counts: ReportedCounts = {
      passed: this.#passed,
      failures: this.#failures,
      skipped: this.#skipped,
    };
    if (path !== undefined) writeFileSync(path, JSON.stringify(counts));
  }
}

interface Cause {
  readonly message: string;
}

/** The first line of what went wrong: the whole of it stands far above in the output. */
function failure(name: string, errors: readonly Cause[]): Failure {
  const [line = ""] = stripVTControlCharacters(errors[0]?.message ?? "").split("\n");
  return { name, error: line };
}
