// `npm run -s bench:cni -- --json [--out DIR] [--vs PATH] [--vs-type TYPE] [--lab DIR | --native] [--concurrency 1,64]`: one JSON object on stdout, progress on stderr.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { formatGoals, listGoals } from "./goals.ts";
import { measureInLab } from "./lab-rounds.ts";
import { measureNative } from "./native-rounds.ts";
import { measureStart } from "./start-time.ts";

const flags = {
  ...reportFlags,
  vs: { type: "string" },
  "vs-type": { type: "string", default: "sriov" },
  /** Folder of a lab that runs already. */
  lab: { type: "string" },
  /** This machine only: no emulated node. */
  native: { type: "boolean", default: false },
  rounds: { type: "string" },
  /** How many ADDs at once on stand-ins, in turn; those that fail are measured alone, with 1. */
  concurrency: { type: "string", default: "1,4,16,64" },
  /** ADDs of each contender at each concurrency. */
  calls: { type: "string", default: "128" },
} as const;

const { values } = parseArgs({ options: flags });
const vs = values.vs === undefined ? undefined : resolve(values.vs);
const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-cni-"));
try {
  console.error("compiling virtfn-cni");
  const executable = join(folder, "virtfn-cni");
  await compile("cni/main.ts", executable, "call");
  console.error("VERSION, ADD without a VF and STATUS beside an empty executable");
  const start = await measureStart(executable, Number(values.rounds ?? 100), vs);
  console.error("ADD and DEL on stand-ins");
  const type = values["vs-type"];
  const native = await measureNative({
    concurrencies: values.concurrency.split(",").map(Number),
    calls: Number(values.calls),
    vs: vs === undefined ? undefined : { path: vs, type },
  });
  const lab = values.native
    ? undefined
    : await measureInLab({
        executable,
        rounds: Number(values.rounds ?? 15),
        vs: vs === undefined ? undefined : { path: vs, type },
        labDir: values.lab,
      });
  const goals = listGoals(start, native.figures);
  console.error(formatGoals(goals));
  const figures = { what: "calls of the CNI, as processes", machine, goals, start, native, lab };
  await reportFigures("cni", figures, values);
} finally {
  await rm(folder, { recursive: true });
}
