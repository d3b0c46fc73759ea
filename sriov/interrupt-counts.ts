// How often each interrupt came on each CPU.

import { join } from "node:path";
import type { Host } from "../host/host.ts";

/** By IRQ number: how often it came since it was requested, by CPU; CPUs that it never came on are left out. */
export type InterruptCounts = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** Reads /proc/interrupts; empty where there is none. */
export function readInterruptCounts(host: Pick<Host, "files" | "paths">): InterruptCounts {
  return parseInterruptCounts(host.files.readText(join(host.paths.proc, "interrupts")) ?? "");
}

/**
 * The counts of the numbered interrupts in `text`. The first line names the online CPUs, one for each column of counts; a row is the
 * IRQ, its counts, and words about it. Source: kernel kernel/irq/proc.c, show_interrupts.
 */
export function parseInterruptCounts(text: string): InterruptCounts {
  const [header = "", ...rows] = text.split("\n");
  const cpus = [...header.matchAll(/CPU(\d+)/g)].map(([, cpu]) => Number(cpu));
  const counts = new Map<number, ReadonlyMap<number, number>>();
  for (const row of rows) {
    const [, irq, rest = ""] = /^ *(\d+): *(.*)$/.exec(row) ?? [];
    if (irq === undefined) continue;
    const columns = rest.split(/ +/, cpus.length);
    const came = cpus.map((cpu, at) => [cpu, Number(columns[at])] as const).filter(([, count]) => count > 0);
    counts.set(Number(irq), new Map(came));
  }
  return counts;
}

/** Over all CPUs; 0 for an interrupt that is not there. */
export function sumCounts(counts: InterruptCounts, irq: number): number {
  return [...(counts.get(irq)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
}
