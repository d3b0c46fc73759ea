// `npm test`: checks, build, unit, netns, process, lab and nodes, with the time of each; the last line is the sum.

import { checks } from "./check.ts";
import { formatSummary, runCommand, runProject, type SuiteResult } from "./suite.ts";

const results: SuiteResult[] = [];
for (const check of checks) results.push(await runCommand(check.name, check.command, check.args));
results.push(await runCommand("build", process.execPath, ["test/run/build.ts"]));
results.push(await runProject("unit"));
// Before the process tests, because some of them run a real kubelet.
const prepared = await runCommand("lab: prepare", process.execPath, ["test/run/image.ts", "--lab"]);
results.push(prepared);
// For the test that looks at a page; without it that test is skipped.
results.push(await runCommand("browser", process.execPath, ["test/run/browser.ts"]));
for (const project of ["netns", "process"]) results.push(await runProject(project));
if (prepared.failed === 0) {
  for (const project of ["lab", "nodes"]) results.push(await runProject(project));
}

console.log(`\n${formatSummary(results)}`);
process.exitCode = results.some((result) => result.failed > 0) ? 1 : 0;
