// `npm run check`: types, lint, format, unused code and generated code, each with its own name and time.

import { runCommand, type SuiteResult } from "./suite.ts";

interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** The checks of the tree, in the order of what they most often find. */
export const checks: readonly Check[] = [
  { name: "types", command: "node_modules/.bin/tsc", args: ["-p", "."] },
  { name: "lint", command: "node_modules/.bin/oxlint", args: ["--type-aware"] },
  { name: "format", command: "node_modules/.bin/oxfmt", args: ["--check", "."] },
  { name: "unused", command: process.execPath, args: ["--bun", "node_modules/.bin/knip"] },
  { name: "generated", command: process.execPath, args: ["test/run/generate.ts", "--check"] },
];

if (import.meta.main) {
  const results: SuiteResult[] = [];
  for (const check of checks) results.push(await runCommand(check.name, check.command, check.args));
  for (const { name, failed, seconds } of results) {
    console.log(`${failed === 0 ? "ok    " : "FAILED"} ${name.padEnd(10)} ${seconds.toFixed(1)} s`);
  }
  process.exitCode = results.some((result) => result.failed > 0) ? 1 : 0;
}
