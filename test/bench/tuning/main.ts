// `npm run -s bench:tuning -- --json [--out DIR] [--vfs 64] [--seconds 300]`: one JSON object on stdout, progress on stderr.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { measureTuning } from "./measure.ts";

const flags = {
  ...reportFlags,
  vfs: { type: "string", default: "64" },
  seconds: { type: "string", default: "300" },
} as const;

const { values } = parseArgs({ options: flags });
const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-tuning-"));
try {
  console.error("compiling tuning for fixture trees");
  const executable = join(folder, "tuning");
  await compile("test/support/tuning-entry.ts", executable, "daemon");
  console.error(`idle for ${values.seconds} s with ${values.vfs} VFs in pods`);
  const figures = {
    what: "the tuning daemon on a fixture tree",
    machine,
    measured: await measureTuning(executable, Number(values.vfs), Number(values.seconds)),
  };
  await reportFigures("tuning", figures, values);
} finally {
  await rm(folder, { recursive: true });
}
