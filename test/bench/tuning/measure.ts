// The tuning daemon on one machine of a fixture tree: what its process costs when nothing happens, and what one look costs.

import { readAffinity } from "../../../sriov/vectors.ts";
import { machines } from "../../fixtures/machines.ts";
import { TuningMachine } from "../../support/tuning-process.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Spread, spreadOf } from "../cni/figures.ts";
import { readCpuMs, readRssMb } from "../process-usage.ts";
import type { Percentiles } from "./percentiles.ts";
import { timeLocks, timePods } from "./pods-on-tree.ts";

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
  /** From the end of an ADD until its VF's interrupts are pinned, one pod after the other, all other VFs in pods. */
  readonly timeToPin: Percentiles;
  /** For how long the lock of a VF is held to pin it. */
  readonly lockHeld: Percentiles;
}

/** What the product promises: on a fixture tree, and of what a pass does under one lock. */
export const goals = { idlePercent: 0.5, timeToPinMs: 100, lockHeldMs: 50 } as const;

export interface TuningOptions {
  readonly vfs: number;
  /** How long to be idle. */
  readonly seconds: number;
  /** How many pods start, one after the other. */
  readonly pods: number;
}

/** Measures with `executable`, which is test/support/tuning-entry.ts compiled. */
export async function measureTuning(
  executable: string,
  { vfs, seconds, pods }: TuningOptions,
): Promise<TuningFigures> {
  using untuned = makeMachine(vfs);
  const lockHeld = await timeLocks(untuned);
  using machine = makeMachine(vfs);
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
    const timeToPin = await timePods(machine, pods);
    const pinCheckMs = spreadOf(taken);
    return { vfs, pins: pins.length, pinCheckMs, idlePercent, rssMb, timeToPin, lockHeld };
  } finally {
    daemon.kill("SIGTERM");
    await daemon.exited;
  }
}

/** All VFs in pods. */
function makeMachine(vfs: number): TuningMachine {
  const [pf] = machines.igb.pfs;
  const machine = new TuningMachine({ ...machines.igb, pfs: [{ ...pf, totalVfs: vfs, numVfs: vfs }] });
  for (let vf = 0; vf < vfs; vf += 1) machine.attach(vf, `web-${vf}`);
  return machine;
}
