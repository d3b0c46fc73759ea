// virtfn-cni on a node that is a folder, its one argument: the entry of the shipped executable with another root. It loads as late as that does.

import { runCni } from "../../../cni/run.ts";

const { readStdin } = await import("../../../host/stdin.ts");
const root = process.argv[2] ?? "";
const outcome = await runCni(
  { environment: process.env, stdin: await readStdin() },
  async () => {
    const { createHost } = await import("../../../host/create-host.ts");
    return createHost({ root, environment: process.env });
  },
  async () => {
    const { createNodeReader } = await import("../../../host/node-reader.ts");
    return createNodeReader(root);
  },
);
if (outcome.stderr !== "") console.error(outcome.stderr);
if (outcome.stdout !== "") console.log(outcome.stdout);
process.exitCode = outcome.exitCode;
