// `npm run -s bench:network -- --help`: the article's benchmark. Progress on stderr, results in the folder of --out.

import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { onBenchInterrupt } from "../interrupt.ts";
import { measureHere, serveAsClient } from "./host-bench.ts";
import { labelOf } from "./label.ts";
import { measureInLab } from "./lab-bench.ts";
import { type BenchOptions, parseBenchOptions, usage } from "./options.ts";
import { toResults } from "./results.ts";
import { runCommand } from "./run-command.ts";
import { isVirtualMachine } from "./virtual-machine.ts";
import { openRuns, writeResults } from "./write-results.ts";

const signal = onBenchInterrupt();
try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options === "help") console.log(usage);
  else await runBench(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = signal.aborted ? 130 : 1;
}

async function runBench(options: BenchOptions): Promise<void> {
  const startedAt = new Date();
  const tools = {
    run: runCommand,
    signal,
    progress: (text: string): void => console.error(text),
    executables: { cni: resolve("dist/virtfn-cni"), virtfn: resolve("dist/virtfn") },
  };
  if (options.role === "client") return serveAsClient(options, tools);
  const isDevice = existsSync(`/sys/class/net/${options.pf}/device`);
  const label = labelOf(options, { isDevice, isVirtual: isVirtualMachine() });
  const measured = openRuns(options.out, label);
  const measure = options.mode === "lab" ? measureInLab : measureHere;
  const results = toResults(options, await measure(options, { ...tools, measured }), { label, startedAt });
  writeResults(options.out, results);
  console.error(`${label}: ${resolve(options.out, "report.html")}`);
  if (options.isJson) console.log(JSON.stringify(results));
}
