// The interrupt vectors of a VF as /proc/irq shows them, wherever the VF's netdev is.

import { SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { OpenFile } from "../host/open-file.ts";
import { parseCpuList } from "./cpu-list.ts";
import type { VirtualFunction } from "./inventory.ts";
import { judgeVectorRole, type VectorRole } from "./irq-role.ts";

/** An interrupt as /proc/irq shows it. */
export interface Irq {
  readonly irq: number;
  /** Name of the registered handler; `undefined` while the netdev is down. */
  readonly action: string | undefined;
  /** smp_affinity_list; `undefined` until the driver has registered a handler for the first time. */
  readonly affinity: readonly number[] | undefined;
  /** The CPUs the hardware really uses; follows a changed affinity at the next interrupt. */
  readonly effective: readonly number[];
  /** See `isFixedIrq`. */
  readonly isManaged: boolean;
}

/** One vector. `msiIndex` is its place among the VF's msi_irqs in numeric order and outlives the IRQ number. */
export interface Vector extends Irq {
  readonly msiIndex: number;
  readonly role: VectorRole | undefined;
}

const writeBits = 0o222;
const attributes = new Set([
  "affinity_hint",
  "effective_affinity",
  "effective_affinity_list",
  "node",
  "smp_affinity",
  "smp_affinity_list",
  "spurious",
]);

/** The vectors of `vf` by MSI index. */
export function readVectors(
  host: Pick<Host, "files" | "paths">,
  vf: Pick<VirtualFunction, "driver" | "irqs">,
): readonly Vector[] {
  return vf.irqs.map((number, msiIndex) => {
    const irq = readIrq(host, number);
    const { action } = irq;
    const role = judgeVectorRole({ driver: vf.driver, msiIndex, vectors: vf.irqs.length, action });
    return { ...irq, msiIndex, role };
  });
}

/** Source: Documentation/core-api/irq/irq-affinity.rst; a handler's name is a folder. */
function readIrq(host: Pick<Host, "files" | "paths">, irq: number): Irq {
  return {
    irq,
    action: readAction(host, irq),
    affinity: readAffinity(host, irq),
    effective: readEffective(host, irq),
    isManaged: isFixedIrq(host, irq),
  };
}

/** See `Irq`. */
export function readAction({ files, paths }: Pick<Host, "files" | "paths">, irq: number): string | undefined {
  return files.list(`${paths.proc}/irq/${irq}`)?.find((name) => !attributes.has(name));
}

/** See `Irq`; empty where the kernel does not tell. */
export function readEffective(host: Pick<Host, "files" | "paths">, irq: number): readonly number[] {
  return parseCpuList(readEntry(host, `${host.paths.proc}/irq/${irq}/effective_affinity_list`) ?? "");
}

/**
 * Whether the kernel lets nobody move it, as it places it itself (a managed interrupt): the file is read-only, since Linux 6.12.
 * Source: kernel/irq/proc.c, register_irq_proc.
 */
export function isFixedIrq(host: Pick<Host, "files" | "paths">, irq: number): boolean {
  return ((host.files.stat(affinityPath(host, irq))?.mode ?? writeBits) & writeBits) === 0;
}

/** The affinity of an interrupt, or `undefined` when it has no folder in /proc/irq (never requested, or freed). */
export function readAffinity(
  host: Pick<Host, "files" | "paths">,
  irq: number,
): readonly number[] | undefined {
  const text = readEntry(host, affinityPath(host, irq));
  return text === undefined ? undefined : parseCpuList(text);
}

/** The file of an interrupt's affinity, to look at it often; `undefined` as of `readAffinity`. */
export function openAffinity(host: Pick<Host, "files" | "paths">, irq: number): OpenFile | undefined {
  return host.files.open(affinityPath(host, irq));
}

/** Sets the affinity of an interrupt. SystemCallError: EPERM or EIO managed, ENOSPC no vector free on the CPU, EINVAL offline. */
export function writeAffinity(host: Pick<Host, "files" | "paths">, irq: number, cpuList: string): void {
  host.files.writeText(affinityPath(host, irq), cpuList);
}

/** An entry that goes between open and read is one that is not there. Source: kernel fs/proc/inode.c, proc_reg_read. */
function readEntry({ files }: Pick<Host, "files">, path: string): string | undefined {
  try {
    return files.readText(path);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === "EIO") return undefined;
    throw error;
  }
}

function affinityPath(host: Pick<Host, "paths">, irq: number): string {
  return `${host.paths.proc}/irq/${irq}/smp_affinity_list`;
}
