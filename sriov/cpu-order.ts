// The order in which CPUs are preferred for interrupts.

import type { CpuTopology } from "./topology.ts";

/** First hyperthreads before second ones, and among equals one of each L3 group in turn. */
export function orderCpus(topology: CpuTopology, cpus: readonly number[]): readonly number[] {
  const turns = new Map<string, number>();
  const ranked = cpus
    .toSorted((a, b) => a - b)
    .map((cpu) => {
      const place = topology.cpus.get(cpu);
      const thread = place?.siblings.filter((sibling) => sibling < cpu && cpus.includes(sibling)).length ?? 0;
      const group = `${thread}/${place?.l3 ?? "none"}`;
      const turn = turns.get(group) ?? 0;
      turns.set(group, turn + 1);
      return { cpu, thread, turn };
    });
  return ranked
    .toSorted((a, b) => a.thread - b.thread || a.turn - b.turn || a.cpu - b.cpu)
    .map(({ cpu }) => cpu);
}
