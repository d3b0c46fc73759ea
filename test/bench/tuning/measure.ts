// The tuning daemon on one machine of a fixture tree: what its process costs when nothing happens, and what one look costs.

import type { OpenFile } from "../../../host/open-file.ts";
import { openAffinity } from "../../../sriov/vectors.ts";
import { machines } from "../../fixtures/machines.ts";
import { pollMs } from "../../../tuning/reconciler.ts";
import { TuningMachine } from "../../support/tuning-process.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Spread, spreadOf } from "../cni/figures.ts";
import { readDaemonEnvironment } from "../daemon-environment.ts";
import { readCpuMs, readRssMb } from "../process-usage.ts";
import type { Percentiles } from "./percentiles.ts";
import { timeLocks, timePods } from "./pods-on-tree.ts";

const timeoutMs = 60_000;
/** From the last pin to the first reading. */
const settleMs = 5_000;
const rounds = 100;

export interface TuningFigures {
  readonly vfs: number;
  readonly pins: number;
  /** One look at all pins, which the daemon has each 2.5 s. */
  readonly pinCheckMs: Spread;
  /** CPU time of the idle daemon, all its looks and passes included, as a share of one core. */
  readonly idlePercent: number;
  /** The same of each 30 s, which have one pass each: the first ones have the making of machine code in them. */
  readonly idlePercents: readonly number[];
  /** CPU time from its start to the last pin; not in `idlePercent`. */
  readonly startCpuMs: number;
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
    env: { ...process.env, ...readDaemonEnvironment("tuning") },
  });
  try {
    const pins = machine.irqs().filter((_, at) => at % 3 !== 2);
    await waitFor("the pins", () => machine.irqWrites().length >= pins.length, timeoutMs);
    const startCpuMs = readCpuMs(daemon.pid);
    await Bun.sleep(settleMs);
    const { idlePercent, idlePercents } = await measureIdle(daemon.pid, seconds);
    const rssMb = readRssMb(daemon.pid);
    const files = pins.map((irq) => openPin(machine, irq));
    const taken = Array.from({ length: rounds }, () => {
      const startMs = performance.now();
      for (const file of files) file.readText();
      return performance.now() - startMs;
    });
    for (const file of files) file[Symbol.dispose]();
    const timeToPin = await timePods(machine, pods);
    const pinCheckMs = spreadOf(taken);
    return {
      vfs,
      pins: pins.length,
      pinCheckMs,
      idlePercent,
      idlePercents,
      startCpuMs,
      rssMb,
      timeToPin,
      lockHeld,
    };
  } finally {
    daemon.kill("SIGTERM");
    await daemon.exited;
  }
}

function openPin({ tree }: TuningMachine, irq: number): OpenFile {
  const file = openAffinity(tree.host, irq);
  if (file === undefined) throw new Error(`there is no interrupt ${irq}`);
  return file;
}

async function measureIdle(
  pid: number,
  seconds: number,
): Promise<Pick<TuningFigures, "idlePercent" | "idlePercents">> {
  const readings = [readCpuMs(pid)];
  for (let leftMs = seconds * 1000; leftMs > 0; leftMs -= pollMs) {
    await Bun.sleep(Math.min(leftMs, pollMs));
    readings.push(readCpuMs(pid));
  }
  const spent = readings.slice(1).map((reading, at) => reading - (readings[at] ?? 0));
  const lastMs = (seconds * 1000) % pollMs || pollMs;
  return {
    idlePercent: ((readings.at(-1) ?? 0) - (readings[0] ?? 0)) / (10 * seconds),
    idlePercents: spent.map((ms, at) => (100 * ms) / (at === spent.length - 1 ? lastMs : pollMs)),
  };
}

/** All VFs in pods. */
function makeMachine(vfs: number): TuningMachine {
  const [pf] = machines.igb.pfs;
  const machine = new TuningMachine({ ...machines.igb, pfs: [{ ...pf, totalVfs: vfs, numVfs: vfs }] });
  for (let vf = 0; vf < vfs; vf += 1) machine.attach(vf, `web-${vf}`);
  return machine;
}
