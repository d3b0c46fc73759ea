// Receive packet steering: which CPUs share the protocol work of a receive queue.

import { listCandidates } from "./candidates.ts";
import type { CpuFacts, VfPlace } from "./cpu-facts.ts";
import { formatCpuList } from "./cpu-list.ts";
import type { CpuTopology } from "./topology.ts";
import type { ChosenPolicy } from "./tuning-policy.ts";

/**
 * CPUs that may share the work of a VF's receive queues. `isForced`: someone chose them, they share it with any number of queues.
 * `notes`: sentences, what of the choice could not be met.
 */
export interface RpsCandidates {
  readonly cpus: readonly number[];
  readonly isForced: boolean;
  readonly notes: readonly string[];
}

/** What is known about one receive queue: `irqCpus` are the CPUs its interrupt is pinned to. */
export interface ReceiveQueue {
  readonly irqCpus: readonly number[];
  /** Number of receive queues of the whole device. */
  readonly queues: number;
}

/** The CPUs of the mode that was chosen with the policy; without one those of the policy itself (`ofPolicy`). Nothing is told of a VF that is left alone. */
export function listRpsCandidates(
  facts: CpuFacts,
  vf: VfPlace,
  chosen: ChosenPolicy,
  ofPolicy: readonly number[],
): RpsCandidates {
  switch (chosen.rps) {
    case undefined:
      return { cpus: ofPolicy, isForced: false, notes: [] };
    case "off":
      return { cpus: [], isForced: true, notes: [] };
    case "numa": {
      const { cpus } = listCandidates(facts, vf, { ...chosen, policy: "numa-spread" });
      return { cpus, isForced: true, notes: [] };
    }
    case "pod": {
      const cpus = (vf.pod === undefined ? undefined : facts.exclusive.get(vf.pod)) ?? [];
      const isMet = chosen.policy === "none" || cpus.length > 0;
      const notes = isMet ? listDropped(facts.topology, chosen, cpus, "the pod's own") : [noOwnCpus];
      return { cpus, isForced: true, notes };
    }
    case "explicit": {
      const cpus = chosen.rpsCpus ?? [];
      const notes = listDropped(facts.topology, chosen, cpus, `the list ${formatCpuList(cpus)}`);
      return { cpus, isForced: true, notes };
    }
  }
}

const noOwnCpus = "the pod has no CPUs for itself, using no RPS";

/** What `chooseRpsCpus` leaves out of CPUs that were chosen, wherever the interrupts are. */
function listDropped(
  topology: CpuTopology,
  { policy }: ChosenPolicy,
  chosen: readonly number[],
  of: string,
): readonly string[] {
  if (policy === "none") return [];
  const tell = (cpus: readonly number[], are: string): readonly string[] =>
    cpus.length === 0 ? [] : [`CPUs ${formatCpuList(cpus)} of ${of} are ${are}: RPS is without them`];
  const [online, missing] = split(chosen, (cpu) => topology.cpus.has(cpu));
  const [allowed, cut] = split(online, (cpu) => isAllowed(topology, cpu));
  const isNothingLeft = chosen.length > 0 && allowed.length === 0;
  return [
    ...tell(missing, "not online"),
    ...tell(cut, "isolated or nohz_full"),
    ...(isNothingLeft ? ["none is left, using no RPS"] : []),
  ];
}

function split(
  cpus: readonly number[],
  isIn: (cpu: number) => boolean,
): [readonly number[], readonly number[]] {
  return [cpus.filter(isIn), cpus.filter((cpu) => !isIn(cpu))];
}

/** Others the kernel would cut off. Source: net/core/net-sysfs.c, store_rps_map. */
function isAllowed({ isolated, nohzFull }: CpuTopology, cpu: number): boolean {
  return !isolated.includes(cpu) && !nohzFull.includes(cpu);
}

/**
 * The CPUs of a receive queue's rps_cpus, ascending; empty is off. Off when the device has at least as many queues as
 * there are candidate CPUs that nobody chose, else the candidates without the interrupt's own CPU and its hyperthread siblings,
 * without offline CPUs, and without those that the kernel would cut off (isolated, nohz_full).
 */
export function chooseRpsCpus(
  topology: CpuTopology,
  { cpus, isForced }: RpsCandidates,
  queue: ReceiveQueue,
): readonly number[] {
  if (!isForced && queue.queues >= cpus.length) return [];
  const busy = new Set(queue.irqCpus.flatMap((cpu) => [cpu, ...(topology.cpus.get(cpu)?.siblings ?? [])]));
  return cpus
    .filter((cpu) => topology.cpus.has(cpu) && isAllowed(topology, cpu) && !busy.has(cpu))
    .toSorted((a, b) => a - b);
}
