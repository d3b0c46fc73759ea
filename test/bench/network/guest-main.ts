// The bench inside an emulated node: `guest-main BENCH-OPTIONS`; what there is to tell as a line of JSON each. The executables lie beside it.

import { dirname, join } from "node:path";

import { onBenchInterrupt } from "../interrupt.ts";
import { type BenchOutcome, measureHere, serveAsClient } from "./host-bench.ts";
import type { Measurement } from "./measurement.ts";
import { parseBenchOptions } from "./options.ts";
import { runCommand } from "./run-command.ts";

/** A line of its output. */
export type GuestLine =
  | { readonly progress: string }
  | { readonly measured: Measurement }
  | { readonly outcome: BenchOutcome };

if (import.meta.main)
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }

async function main(): Promise<void> {
  const folder = dirname(process.execPath);
  const options = parseBenchOptions(process.argv.slice(2));
  if (options === "help") throw new Error("--help is for the bench outside");
  const tools = {
    run: runCommand,
    signal: onBenchInterrupt(),
    progress: (progress: string) => tell({ progress }),
    executables: { cni: join(folder, "virtfn-cni"), virtfn: join(folder, "virtfn") },
    measured: (measured: Measurement) => tell({ measured }),
  };
  if (options.role === "client") await serveAsClient(options, tools);
  else tell({ outcome: await measureHere(options, tools) });
}

function tell(line: GuestLine): void {
  console.log(JSON.stringify(line));
}
