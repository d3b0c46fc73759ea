// Puts interrupts of a VF back where they were before tuning.

import { HostError, SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";
import { SriovError } from "./errors.ts";
import { readVfIrqs, type VirtualFunction } from "./inventory.ts";
import type { TunedVector } from "./tuning-record.ts";
import { readAttribute } from "./sysfs.ts";
import { readTuningRecordOf } from "./tuning-store.ts";
import { readAffinity, writeAffinity } from "./vectors.ts";

type Node = Pick<Host, "files" | "paths">;

/**
 * The kernel shows another affinity than the one just written. Without interrupt remapping a change waits for the next
 * interrupt (kernel/irq/migration.c); where the handler goes before that one comes, the change that waits hides, and at the
 * next open undoes, what is written meanwhile.
 */
class AffinityPendingError extends SriovError {
  readonly code = "ERR_AFFINITY_PENDING";

  constructor(irq: number, expected: string, got: string) {
    super(
      `put IRQ ${irq} back to CPUs ${expected}, it still reads ${got}: it settles when the VF is up again`,
    );
  }
}

/**
 * Puts all interrupts of `vf` back that its tuning record knows. To be called while the VF is still up in the pod, when a
 * write always takes. Best effort: what fails here is left to tuning, which drops the record.
 */
export function restoreAffinities(
  host: Node & Pick<Host, "clock">,
  vf: Pick<VirtualFunction, "address" | "inode">,
): void {
  const saved = attempt(() => readTuningRecordOf(host, vf));
  if (saved === undefined) return;
  const irqs = attempt(() => readVfIrqs(host, vf.address)) ?? [];
  for (const vector of saved.vectors) attempt(() => restoreAffinity(host, { irqs }, vector));
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof HostError || error instanceof SriovError) return undefined;
    throw error;
  }
}

/**
 * Puts one vector back; true when it had to be written. One without a folder in /proc/irq has never had a handler, and no
 * affinity. Throws ERR_AFFINITY_PENDING; SystemCallError as `writeAffinity`.
 */
export function restoreAffinity(
  host: Node,
  vf: Pick<VirtualFunction, "irqs">,
  { msiIndex, original }: TunedVector,
): boolean {
  const irq = vf.irqs[msiIndex];
  const before = irq === undefined ? undefined : readAffinity(host, irq);
  if (irq === undefined || before === undefined || isSame(before, original)) return false;
  const written = writeOriginal(host, irq, original);
  const after = readAffinity(host, irq) ?? [];
  if (!isSame(after, written)) throw new AffinityPendingError(irq, written, formatCpuList(after));
  return true;
}

/** Gives what was written: all online CPUs, as the kernel itself does, where none of `original` is online any more. */
function writeOriginal(host: Node, irq: number, original: string): string {
  try {
    writeAffinity(host, irq, original);
    return original;
  } catch (error) {
    const online = readAttribute(host.files, `${host.paths.sys}/devices/system/cpu/online`) ?? "";
    const isOffline = parseCpuList(original).every((cpu) => !parseCpuList(online).includes(cpu));
    if (!(error instanceof SystemCallError && error.errno === "EINVAL" && isOffline)) throw error;
    writeAffinity(host, irq, online);
    return online;
  }
}

function isSame(cpus: readonly number[], cpuList: string): boolean {
  return cpus.join() === parseCpuList(cpuList).join();
}
