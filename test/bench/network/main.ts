// `npm run -s bench:network -- --help`: the article's benchmark. Progress on stderr, results in the folder of --out.

import { onInterrupt } from "../../lab/interrupt.ts";
import { measureHere, serveAsClient } from "./host-bench.ts";
import { parseBenchOptions, usage } from "./options.ts";
import { runCommand } from "./run-command.ts";

const signal = onInterrupt();
try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options === "help") console.log(usage);
  else {
    const tools = {
      run: runCommand,
      signal,
      progress: (text: string) => console.error(text),
      executables: { cni: "dist/virtfn-cni", virtfn: "dist/virtfn" },
      measured: () => {},
    };
    if (options.role === "client") await serveAsClient(options, tools);
    else console.log(JSON.stringify(await measureHere(options, tools)));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = signal.aborted ? 130 : 1;
}
