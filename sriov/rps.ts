// Receive packet steering: which CPUs share the protocol work of a receive queue.

import { listCandidates } from "./candidates.ts";
import type { CpuFacts, VfPlace } from "./cpu-facts.ts";
import type { CpuTopology } from "./topology.ts";
import type { ChosenPolicy } from "./tuning-policy.ts";

/** CPUs that may share the work of a VF's receive queues. `isForced`: someone chose them, they share it with any number of queues. */
export interface RpsCandidates {
  readonly cpus: readonly number[];
  readonly isForced: boolean;
}

/** What is known about one receive queue: `irqCpus` are the CPUs its interrupt is pinned to. */
export interface ReceiveQueue {
  readonly irqCpus: readonly number[];
  /** Number of receive queues of the whole device. */
  readonly queues: number;
}

/** The CPUs of the mode that was chosen with the policy; without one those of the policy itself (`ofPolicy`). */
export function listRpsCandidates(
  facts: CpuFacts,
  vf: VfPlace,
  chosen: ChosenPolicy,
  ofPolicy: readonly number[],
): RpsCandidates {
  switch (chosen.rps) {
    case undefined:
      return { cpus: ofPolicy, isForced: false };
    case "off":
      return { cpus: [], isForced: true };
    case "numa":
      return { cpus: listCandidates(facts, vf, { ...chosen, policy: "numa-spread" }).cpus, isForced: true };
    case "pod": {
      const own = vf.pod === undefined ? undefined : facts.exclusive.get(vf.pod);
      return { cpus: own ?? [], isForced: true };
    }
    case "explicit":
      return { cpus: chosen.rpsCpus ?? [], isForced: true };
  }
}

/**
 * The CPUs of a receive queue's rps_cpus, ascending; empty is off. Off when the device has at least as many queues as
 * there are candidate CPUs that nobody chose, else the candidates without the interrupt's own CPU and its hyperthread siblings,
 * without offline CPUs, and without those that the kernel would cut off (isolated, nohz_full; net/core/net-sysfs.c, store_rps_map).
 */
export function chooseRpsCpus(
  topology: CpuTopology,
  { cpus, isForced }: RpsCandidates,
  queue: ReceiveQueue,
): readonly number[] {
  if (!isForced && queue.queues >= cpus.length) return [];
  const busy = queue.irqCpus.flatMap((cpu) => [cpu, ...(topology.cpus.get(cpu)?.siblings ?? [])]);
  const left = new Set([...busy, ...topology.isolated, ...topology.nohzFull]);
  return cpus.filter((cpu) => topology.cpus.has(cpu) && !left.has(cpu)).toSorted((a, b) => a - b);
}
