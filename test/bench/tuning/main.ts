// `npm run -s bench:tuning -- --help`: the tuning daemon on a fixture tree.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compile } from "../../run/build.ts";
import { readBenchFlags } from "../bench-flags.ts";
import { machine, reportFigures } from "../report-figures.ts";
import { goals, measureTuning } from "./measure.ts";
import { measureTimeToPin } from "./time-to-pin.ts";

const values = readBenchFlags("tuning", "the tuning daemon on a fixture tree", {
  vfs: { type: "string", value: "N", default: "64", help: "VFs in pods" },
  seconds: { type: "string", value: "N", default: "300", help: "how long it is left alone" },
  pods: {
    type: "string",
    value: "N",
    default: "50",
    help: "pods one after the other, each timed from the end of its ADD to its pins",
  },
  "lab-rounds": { type: "string", value: "N", help: "the same with so many pods in the emulated node" },
  lab: { type: "string", value: "DIR", help: "folder of a lab that runs already, without virtfn in it" },
});
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
