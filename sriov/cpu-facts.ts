// What the policies know of the node's CPUs, and what they say of one.

import type { CpuTopology } from "./topology.ts";
import type { TuningPolicy } from "./tuning-policy.ts";

/** The node's CPUs and who has them. */
export interface CpuFacts {
  readonly topology: CpuTopology;
  /** CPUs that the kubelet gave to one pod alone, by "namespace/name". */
  readonly exclusive: ReadonlyMap<string, readonly number[]>;
  /** CPUs for work that is nobody's own. */
  readonly housekeeping: readonly number[];
}

export interface CpuRule {
  readonly policy: TuningPolicy;
  /** Why `cpu` is no candidate; undefined for one that is. */
  readonly judge: (cpu: number) => string | undefined;
  /** Said when no CPU is left, and the next rule is taken. */
  readonly unmet: string | undefined;
  /** Said when this rule is taken. */
  readonly note?: string | undefined;
  readonly near: readonly number[];
  readonly isByQueue: boolean;
}

/** A VF, and the pod that has it ("namespace/name"). */
export interface VfPlace {
  readonly numaNode: number | undefined;
  readonly localCpus: readonly number[];
  readonly pod: string | undefined;
}

/** Tells why a CPU is taken for somebody else than `pod`: another pod's own, or isolated from the scheduler. */
export function createFreeJudge(
  { topology, exclusive }: Pick<CpuFacts, "topology" | "exclusive">,
  pod: VfPlace["pod"],
): (cpu: number) => string | undefined {
  const takers = new Map<number, string>();
  for (const [name, cpus] of exclusive)
    if (name !== pod) for (const cpu of cpus) if (!takers.has(cpu)) takers.set(cpu, name);
  const own = new Set(pod === undefined ? [] : exclusive.get(pod));
  const isolated = new Set(topology.isolated);
  return (cpu) => {
    const taker = takers.get(cpu);
    if (taker !== undefined) return `exclusive to pod ${taker}`;
    return isolated.has(cpu) && !own.has(cpu) ? "isolated" : undefined;
  };
}
