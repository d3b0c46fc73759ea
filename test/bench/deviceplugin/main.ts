// `npm run -s bench:deviceplugin -- --help`: the device plugin on fixture trees.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compile } from "../../run/build.ts";
import { readBenchFlags } from "../bench-flags.ts";
import { machine, reportFigures } from "../report-figures.ts";
import { type DevicePluginFigures, goals, measureDevicePlugin } from "./measure.ts";

const values = readBenchFlags("deviceplugin", "the device plugin on fixture trees, with a stand-in kubelet", {
  vfs: { type: "string", value: "N,N", default: "8,64,256,1024", help: "VFs of the trees, in turn" },
  rounds: { type: "string", value: "N", default: "15", help: "times that each is measured" },
  "idle-seconds": {
    type: "string",
    value: "N",
    default: "60",
    help: "how long it is left alone; 0 leaves that out",
  },
});
const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-deviceplugin-"));
try {
  console.error("compiling the device plugin for fixture trees");
  const executable = join(folder, "deviceplugin");
  await compile("test/support/deviceplugin-entry.ts", executable, "daemon");
  const measured: DevicePluginFigures[] = [];
  for (const vfs of values.vfs.split(",").map(Number)) {
    const options = { rounds: Number(values.rounds), idleSeconds: Number(values["idle-seconds"]) };
    const figures = await measureDevicePlugin(executable, vfs, options);
    measured.push(figures);
    const { startMs, rescanMs, allocateMs, preferMs, rssMb, idleCpuPercent = "-" } = figures;
    console.error(
      `${vfs} VFs: start ${startMs.median} ms, rescan ${rescanMs.median} ms, Allocate ${allocateMs.median} ms, ` +
        `preferred allocation ${preferMs.median} ms, ${rssMb.serving} MB, idle ${rssMb.idle} MB and ${idleCpuPercent} % of a core`,
    );
  }
  console.error(
    `goals at ${goals.vfs} VFs: start ${goals.startMs} ms, preferred allocation ${goals.preferMs} ms, ` +
      `idle ${goals.rssMb} MB and ${goals.idleCpuPercent} % of a core`,
  );
  const figures = {
    what: "the device plugin on fixture trees, with a stand-in kubelet",
    machine,
    goals,
    measured,
  };
  await reportFigures("deviceplugin", figures, values);
} finally {
  await rm(folder, { recursive: true });
}
