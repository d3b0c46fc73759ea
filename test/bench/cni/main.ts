// `npm run -s bench:cni -- --help`: calls of the CNI, as processes.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { compile } from "../../run/build.ts";
import { readBenchFlags } from "../bench-flags.ts";
import { runInterruptible } from "../interruptible.ts";
import { machine, reportFigures } from "../report-figures.ts";
import { formatGoals, listGoals } from "./goals.ts";
import { measureInLab } from "./lab-rounds.ts";
import { measureNative } from "./native-rounds.ts";
import { measureStart } from "./start-time.ts";

const values = readBenchFlags(
  "cni",
  "what calls of the CNI cost, beside the floor, host-device and another plugin",
  {
    vs: { type: "string", value: "PATH", help: "another CNI plugin, measured beside" },
    "vs-type": { type: "string", value: "TYPE", default: "sriov", help: "the `type` in its configuration" },
    lab: { type: "string", value: "DIR", help: "folder of a lab that runs already" },
    native: { type: "boolean", default: false, help: "this machine only: no emulated node" },
    rounds: {
      type: "string",
      value: "N",
      help: "rounds of starts (default 100) and in the emulated node (default 15)",
    },
    concurrency: {
      type: "string",
      value: "N,N",
      default: "1,4,16,64",
      help: "ADDs at once on stand-ins, in turn; those that fail are measured alone",
    },
    calls: { type: "string", value: "N", default: "128", help: "ADDs of each contender at each concurrency" },
  },
);
const vs = values.vs === undefined ? undefined : resolve(values.vs);
await runInterruptible(async (signal) => {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-cni-"));
  try {
    console.error("compiling virtfn-cni");
    const executable = join(folder, "virtfn-cni");
    await compile("cni/main.ts", executable, "call");
    console.error("VERSION, ADD without a VF and STATUS beside an empty executable");
    const start = await measureStart(executable, { rounds: Number(values.rounds ?? 100), vs, signal });
    console.error("ADD and DEL on stand-ins");
    const type = values["vs-type"];
    const native = await measureNative({
      concurrencies: values.concurrency.split(",").map(Number),
      calls: Number(values.calls),
      vs: vs === undefined ? undefined : { path: vs, type },
      signal,
    });
    const lab = values.native
      ? undefined
      : await measureInLab({
          executable,
          rounds: Number(values.rounds ?? 15),
          vs: vs === undefined ? undefined : { path: vs, type },
          labDir: values.lab,
          signal,
        });
    const goals = listGoals(start, native.figures);
    console.error(formatGoals(goals));
    const figures = { what: "calls of the CNI, as processes", machine, goals, start, native, lab };
    await reportFigures("cni", figures, values);
  } finally {
    await rm(folder, { recursive: true });
  }
});
