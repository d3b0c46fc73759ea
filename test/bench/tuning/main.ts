// `npm run -s bench:tuning -- --json [--out DIR] [--vfs 64] [--seconds 300] [--lab-rounds N [--lab DIR]]`: one JSON object on stdout, progress on stderr.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { measureTuning } from "./measure.ts";
import { measureTimeToPin } from "./time-to-pin.ts";

const flags = {
  ...reportFlags,
  vfs: { type: "string", default: "64" },
  seconds: { type: "string", default: "300" },
  /** Pods one after the other in the emulated node, each timed from the end of its ADD to its pins. */
  "lab-rounds": { type: "string" },
  /** Folder of a lab that runs already, without virtfn in it. */
  lab: { type: "string" },
} as const;

const { values } = parseArgs({ options: flags });
const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-tuning-"));
try {
  console.error("compiling tuning for fixture trees");
  const executable = join(folder, "tuning");
  await compile("test/support/tuning-entry.ts", executable, "daemon");
  console.error(`idle for ${values.seconds} s with ${values.vfs} VFs in pods`);
  const measured = await measureTuning(executable, Number(values.vfs), Number(values.seconds));
  const rounds = values["lab-rounds"];
  const timeToPin =
    rounds === undefined ? undefined : await measureTimeToPin(folder, Number(rounds), values.lab);
  const figures = { what: "the tuning daemon on a fixture tree", machine, measured, timeToPin };
  await reportFigures("tuning", figures, values);
} finally {
  await rm(folder, { recursive: true });
}
