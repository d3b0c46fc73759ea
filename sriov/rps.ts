// Receive packet steering: which CPUs share the protocol work of a receive queue.

import type { CpuTopology } from "./topology.ts";

/** What is known about one receive queue: `irqCpus` are the CPUs its interrupt is pinned to. */
export interface ReceiveQueue {
  readonly irqCpus: readonly number[];
  /** Number of receive queues of the whole device. */
  readonly queues: number;
}

/**
 * The CPUs of a receive queue's rps_cpus, ascending; empty is off. Off when the device has at least as many queues as
 * there are candidate CPUs, else the candidates without the interrupt's own CPU and its hyperthread siblings, and without
 * the CPUs that the kernel would cut off (isolated, nohz_full; net/core/net-sysfs.c, store_rps_map).
 */
export function chooseRpsCpus(
  topology: CpuTopology,
  candidates: readonly number[],
  queue: ReceiveQueue,
): readonly number[] {
  if (queue.queues >= candidates.length) return [];
  const busy = queue.irqCpus.flatMap((cpu) => [cpu, ...(topology.cpus.get(cpu)?.siblings ?? [])]);
  const left = new Set([...busy, ...topology.isolated, ...topology.nohzFull]);
  return candidates.filter((cpu) => !left.has(cpu)).toSorted((a, b) => a - b);
}
