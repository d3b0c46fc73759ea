// `npm run -s bench:tuning -- --json [--out DIR] [--vfs 64] [--seconds 300]`: one JSON object on stdout, progress on stderr.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { measureTuning } from "./measure.ts";

const flags = {
  json: { type: "boolean", default: false },
  out: { type: "string" },
  vfs: { type: "string", default: "64" },
  seconds: { type: "string", default: "300" },
} as const;

const { values } = parseArgs({ options: flags });
const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-tuning-"));
try {
  console.error("compiling tuning for fixture trees");
  const executable = join(folder, "tuning");
  await compile("test/support/tuning-entry.ts", executable);
  console.error(`idle for ${values.seconds} s with ${values.vfs} VFs in pods`);
  const figures = {
    what: "the tuning daemon on a fixture tree",
    machine: { cpus: availableParallelism(), kernel: release(), bun: Bun.version },
    measured: await measureTuning(executable, Number(values.vfs), Number(values.seconds)),
  };
  const text = JSON.stringify(figures, undefined, values.json ? undefined : 2);
  if (values.out !== undefined) {
    await mkdir(values.out, { recursive: true });
    await writeFile(join(values.out, "tuning.json"), `${text}\n`);
  }
  console.log(text);
} finally {
  await rm(folder, { recursive: true });
}
