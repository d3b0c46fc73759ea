// The tuning daemon on one machine of a fixture tree: what its process costs when nothing happens, and what one look costs.

import * as fs from "node:fs";

import { readAffinity } from "../../../sriov/vectors.ts";
import { machines } from "../../fixtures/machines.ts";
import { TuningMachine } from "../../support/tuning-process.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Spread, spreadOf } from "../cni/figures.ts";

const timeoutMs = 60_000;
/** The kernel counts CPU time in hundredths of a second: USER_HZ, proc(5). */
const tickMs = 10;
const rounds = 100;

export interface TuningFigures {
  readonly vfs: number;
  readonly pins: number;
  /** One look at all pins, which the daemon has each 2.5 s. */
  readonly pinCheckMs: Spread;
  /** CPU time of the idle daemon, all its looks and passes included, as a share of one core. */
  readonly idlePercent: number;
  readonly rssMb: number;
}

/** Measures with `executable`, which is test/support/tuning-entry.ts compiled; idle for `seconds`. */
export async function measureTuning(
  executable: string,
  vfs: number,
  seconds: number,
): Promise<TuningFigures> {
  const [pf] = machines.igb.pfs;
  using machine = new TuningMachine({ ...machines.igb, pfs: [{ ...pf, totalVfs: vfs, numVfs: vfs }] });
  for (let vf = 0; vf < vfs; vf += 1) machine.attach(vf, `web-${vf}`);
  const daemon = Bun.spawn([executable, machine.root, "--listen", "off", "--log-level", "error"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    const pins = machine.irqs().filter((_, at) => at % 3 !== 2);
    await waitFor("the pins", () => machine.irqWrites().length >= pins.length, timeoutMs);
    await Bun.sleep(5_000);
    const before = readCpuMs(daemon.pid);
    await Bun.sleep(seconds * 1000);
    const idlePercent = (readCpuMs(daemon.pid) - before) / (10 * seconds);
    const rssMb = readRssMb(daemon.pid);
    const taken = Array.from({ length: rounds }, () => {
      const startMs = performance.now();
      for (const irq of pins) readAffinity(machine.tree.host, irq);
      return performance.now() - startMs;
    });
    return { vfs, pins: pins.length, pinCheckMs: spreadOf(taken), idlePercent, rssMb };
  } finally {
    daemon.kill("SIGTERM");
    await daemon.exited;
  }
}

/** User and system time of all its threads. Source: proc(5), stat, fields 14 and 15. */
function readCpuMs(pid: number): number {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

function readRssMb(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kb) / 1024);
}
