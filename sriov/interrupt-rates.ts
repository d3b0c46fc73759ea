// How often each interrupt comes just now, and on which CPUs: that is where the hardware really sends it.

import type { Host } from "../host/host.ts";
import { type InterruptCounts, readInterruptCounts } from "./interrupt-counts.ts";

/** `cpus`: those that it came on while it was watched, ascending; none where it did not come. */
export interface InterruptRate {
  readonly perSecond: number;
  readonly cpus: readonly number[];
}

/** By IRQ number. */
export type InterruptRates = ReadonlyMap<number, InterruptRate>;

/** Long enough for an interrupt of a quiet VF, short enough to wait for. */
const watchMs = 1_000;

/** Reads /proc/interrupts twice, a second apart. For commands: a daemon has counters of the kernel to tell. */
export async function measureInterrupts(
  host: Pick<Host, "files" | "paths" | "clock">,
): Promise<InterruptRates> {
  const [before, startedMs] = [readInterruptCounts(host), host.clock.monotonicMs()];
  await host.clock.sleep(watchMs);
  return compareCounts(before, readInterruptCounts(host), host.clock.monotonicMs() - startedMs);
}

/** What came between two readings that were `ms` apart. One that was freed and requested meanwhile began at 0. */
export function compareCounts(before: InterruptCounts, after: InterruptCounts, ms: number): InterruptRates {
  return new Map(
    [...after].map(([irq, counts]) => {
      const came = [...counts].map(([cpu, count]) => {
        const old = before.get(irq)?.get(cpu) ?? 0;
        return { cpu, count: count < old ? count : count - old };
      });
      const cpus = came.flatMap(({ cpu, count }) => (count > 0 ? [cpu] : []));
      const total = came.reduce((sum, { count }) => sum + count, 0);
      return [irq, { perSecond: Math.round((total * 1000) / Math.max(ms, 1)), cpus }] as const;
    }),
  );
}

/**
 * Whether an interrupt pinned to `cpu` comes there and nowhere else: by what was counted, or, while it does not come at all, by
 * the CPU that the hardware was told (`effective`).
 */
export function isPinConfirmed(
  cpu: number,
  { rate, effective }: { readonly rate: InterruptRate | undefined; readonly effective: readonly number[] },
): boolean {
  const seen = rate === undefined || rate.cpus.length === 0 ? effective : rate.cpus;
  return seen.length === 1 && seen[0] === cpu;
}
