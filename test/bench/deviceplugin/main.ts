// `npm run -s bench:deviceplugin -- --json [--out DIR] [--vfs 8,64] [--rounds N]`: one JSON object on stdout, progress on stderr.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { compile } from "../../run/build.ts";
import { type DevicePluginFigures, measureDevicePlugin } from "./measure.ts";

const flags = {
  json: { type: "boolean", default: false },
  out: { type: "string" },
  vfs: { type: "string", default: "8,64,256,1024" },
  rounds: { type: "string", default: "15" },
} as const;

const { values } = parseArgs({ options: flags });
const folder = await mkdtemp(join(tmpdir(), "virtfn-bench-deviceplugin-"));
try {
  console.error("compiling the device plugin for fixture trees");
  const executable = join(folder, "deviceplugin");
  await compile("test/support/deviceplugin-entry.ts", executable);
  const measured: DevicePluginFigures[] = [];
  for (const vfs of values.vfs.split(",").map(Number)) {
    const figures = await measureDevicePlugin(executable, vfs, Number(values.rounds));
    measured.push(figures);
    const { startMs, rescanMs, allocateMs, preferMs, rssMb } = figures;
    console.error(
      `${vfs} VFs: start ${startMs.median} ms, rescan ${rescanMs.median} ms, Allocate ${allocateMs.median} ms, ` +
        `preferred allocation ${preferMs.median} ms, ${rssMb.serving} MB, idle ${rssMb.idle} MB`,
    );
  }
  const figures = {
    what: "the device plugin on fixture trees, with a stand-in kubelet",
    machine: { cpus: availableParallelism(), kernel: release(), bun: Bun.version },
    measured,
  };
  const text = JSON.stringify(figures, undefined, values.json ? undefined : 2);
  if (values.out !== undefined) {
    await mkdir(values.out, { recursive: true });
    await writeFile(join(values.out, "deviceplugin.json"), `${text}\n`);
  }
  console.log(text);
} finally {
  await rm(folder, { recursive: true });
}
