// Transmit packet steering: which CPUs send through which queue of a VF.

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
  const chosen = queues.map(([queue, irqCpu]) => ({ queue, irqCpu, cpus: [] as number[] }));
  // By place, as a large node has too many CPUs to look at each queue for each.
  const near = Map.groupBy(
    chosen.flatMap((each) => listPlaces(topology, each.irqCpu).map((place) => ({ place, each }))),
    ({ place }) => place,
  );
  const ranked = topology.online.map((cpu) => {
    const places = listPlaces(topology, cpu);
    const least = places.findIndex((place) => near.has(place));
    const among = near.get(places[least] ?? "")?.map(({ each }) => each) ?? chosen;
    return { cpu, least: least === -1 ? places.length : least, among };
  });
  // Who is nearest chooses first, so that the others even it out.
  for (const { cpu, among } of ranked.toSorted((a, b) => a.least - b.least || a.cpu - b.cpu)) {
    let best: (typeof chosen)[number] | undefined;
    for (const each of among) if (best === undefined || each.cpus.length < best.cpus.length) best = each;
    best?.cpus.push(cpu);
  }
  return new Map(chosen.map(({ queue, cpus }) => [queue, cpus.toSorted((a, b) => a - b)]));
}

/** The CPU itself, its core, level-3 cache and NUMA node, by names that no other place has. */
function listPlaces({ cpus }: CpuTopology, cpu: number): readonly string[] {
  const info = cpus.get(cpu);
  if (info === undefined) return [];
  return [`cpu ${cpu}`, `core ${info.core}`, `l3 ${info.l3 ?? `of ${cpu}`}`, `node ${info.node}`];
}
