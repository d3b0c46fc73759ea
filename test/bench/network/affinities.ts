// Where interrupts may go, remembered before a variant and put back after it: irqbalance and drivers leave them elsewhere.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";

/** Affinity by IRQ number, in the kernel's list format. */
export type Affinities = ReadonlyMap<number, string>;

export function readAffinities(): Affinities {
  const numbers = readdirSync("/proc/irq").map(Number).filter(Number.isInteger);
  return new Map(
    numbers.flatMap((irq) => {
      const list = readOne(irq);
      return list === undefined ? [] : [[irq, list] as const];
    }),
  );
}

/** Writes back what differs and still exists; gives the interrupts that would not go back, with the reason. */
export function restoreAffinities(before: Affinities): readonly string[] {
  return [...before].flatMap(([irq, list]) => {
    const now = readOne(irq);
    if (now === undefined || now === list) return [];
    try {
      writeFileSync(fileOf(irq), list);
      return [];
    } catch (error) {
      return [`interrupt ${irq} stays on CPUs ${now}, was on ${list}: ${String(error)}`];
    }
  });
}

function readOne(irq: number): string | undefined {
  try {
    return readFileSync(fileOf(irq), "utf8").trim();
  } catch {
    return undefined;
  }
}

function fileOf(irq: number): string {
  return `/proc/irq/${irq}/smp_affinity_list`;
}
