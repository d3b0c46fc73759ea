// `npm run -s bench:deviceplugin -- --json [--out DIR] [--vfs 8,64] [--rounds N] [--idle-seconds 60]`: one JSON object on stdout, progress on stderr.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { machine, reportFigures, reportFlags } from "../report-figures.ts";
import { type DevicePluginFigures, goals, measureDevicePlugin } from "./measure.ts";

const flags = {
  ...reportFlags,
  vfs: { type: "string", default: "8,64,256,1024" },
  rounds: { type: "string", default: "15" },
  "idle-seconds": { type: "string", default: "60" },
} as const;

const { values } = parseArgs({ options: flags });
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
