// The bench inside the emulated node: `guest-main BENCH-OPTIONS`, the outcome as JSON on stdout. The executables lie beside it.

import { dirname, join } from "node:path";

import { onBenchInterrupt } from "./interrupt.ts";
import { measureHere } from "./host-bench.ts";
import { parseBenchOptions } from "./options.ts";
import { runCommand } from "./run-command.ts";

const folder = dirname(process.execPath);
const options = parseBenchOptions(process.argv.slice(2));
if (options === "help") throw new Error("--help is for the bench outside");
const outcome = await measureHere(options, {
  run: runCommand,
  signal: onBenchInterrupt(),
  progress: (text) => console.error(text),
  executables: { cni: join(folder, "virtfn-cni"), virtfn: join(folder, "virtfn") },
  measured: () => {},
});
console.log(JSON.stringify(outcome));
