// `npm run soak`: storm, fuzz, a kubelet that is away, every variant of the benchmark between two emulated nodes, and the node beside irqbalance and in a storm in full, with their times; the last line is the sum, as of `npm test`.

import { formatSummary, runCommand, runProject } from "./suite.ts";

const results = [await runProject("soak")];
const prepared = await runCommand("lab: prepare", process.execPath, ["test/run/image.ts", "--lab"]);
results.push(prepared);
if (prepared.failed === 0) results.push(await runProject("soak-lab"));

console.log(`\n${formatSummary(results)}`);
process.exitCode = results.some((result) => result.failed > 0) ? 1 : 0;
