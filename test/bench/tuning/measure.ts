// The tuning daemon on one machine of a fixture tree: what its process costs when nothing happens, and what one look costs.

import { readAffinity } from "../../../sriov/vectors.ts";
import { machines } from "../../fixtures/machines.ts";
import { TuningMachine } from "../../support/tuning-process.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Spread, spreadOf } from "../cni/figures.ts";
import { readCpuMs, readRssMb } from "../process-usage.ts";

const timeoutMs = 60_000;
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
