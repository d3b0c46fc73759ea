// Transmit packet steering: which CPUs send through which queue of a VF.

import { distanceTo } from "./placement-model.ts";
import type { CpuTopology } from "./topology.ts";

/**
 * The CPUs of each transmit queue's xps_cpus, ascending, by queue: each online CPU sends through the queue whose interrupt is
 * nearest to it, of several through the one with the fewest CPUs. `irqCpus`: the CPU of each queue's interrupt.
 * Source: Documentation/networking/scaling.rst, XPS.
 */
export function chooseXpsCpus(
  topology: CpuTopology,
  irqCpus: ReadonlyMap<number, number>,
): ReadonlyMap<number, readonly number[]> {
  const queues = [...irqCpus].toSorted(([a], [b]) => a - b);
  const chosen = new Map(queues.map(([queue]) => [queue, [] as number[]]));
  const ranked = topology.online.map((cpu) => {
    const distances = queues.map(([, irqCpu]) => (cpu === irqCpu ? -1 : distanceTo(topology, cpu, [irqCpu])));
    return { cpu, distances, least: Math.min(...distances) };
  });
  // Who is nearest chooses first, so that the others even it out.
  for (const { cpu, distances, least } of ranked.toSorted((a, b) => a.least - b.least || a.cpu - b.cpu)) {
    const near = queues.filter((_, at) => distances[at] === least).map(([queue]) => chosen.get(queue) ?? []);
    near.toSorted((a, b) => a.length - b.length)[0]?.push(cpu);
  }
  return new Map([...chosen].map(([queue, cpus]) => [queue, cpus.toSorted((a, b) => a - b)]));
}
