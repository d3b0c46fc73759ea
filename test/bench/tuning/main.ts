// `npm run -s bench:tuning -- --json [--out DIR] [--vfs 64] [--seconds 300] [--pods 50] [--lab-rounds N [--lab DIR]]`: one JSON object on stdout, progress on stderr.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { goals, measureTuning } from "./measure.ts";
import { measureTimeToPin } from "./time-to-pin.ts";

const flags = {
  ...reportFlags,
  vfs: { type: "string", default: "64" },
  seconds: { type: "string", default: "300" },
  /** Pods one after the other on the fixture tree, each timed from the end of its ADD to its pins. */
  pods: { type: "string", default: "50" },
  /** The same in the emulated node. */
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
  const vfs = Number(values.vfs);
  const seconds = Number(values.seconds);
  const pods = Number(values.pods);
  console.error(`idle for ${seconds} s with ${vfs} VFs in pods, then ${pods} pods one after the other`);
  const measured = await measureTuning(executable, { vfs, seconds, pods });
  const { idlePercent, idlePercents, startCpuMs, timeToPin: onTree, lockHeld } = measured;
  const parts = idlePercents.map((percent) => percent.toFixed(2)).join(", ");
  console.error(
    `fake tree: idle ${idlePercent.toFixed(2)} % of a core (goal ${goals.idlePercent} %; by 30 s ${parts}; ${startCpuMs} ms to the last pin are not in it), ` +
      `from the end of an ADD to pinned p50 ${onTree.p50Ms} ms, p99 ${onTree.p99Ms} ms (goal ${goals.timeToPinMs} ms), ` +
      `lock of a VF held p50 ${lockHeld.p50Ms} ms, at most ${lockHeld.maxMs} ms (goal ${goals.lockHeldMs} ms)`,
  );
  const rounds = values["lab-rounds"];
  const timeToPin =
    rounds === undefined ? undefined : await measureTimeToPin(folder, Number(rounds), values.lab);
  const figures = { what: "the tuning daemon on a fixture tree", machine, goals, measured, timeToPin };
  await reportFigures("tuning", figures, values);
} finally {
  await rm(folder, { recursive: true });
}
