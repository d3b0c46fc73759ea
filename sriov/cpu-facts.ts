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

/** Why a CPU is taken for somebody else: another pod's own, or isolated from the scheduler. */
export function judgeFree(
  { topology, exclusive }: CpuFacts,
  { pod }: VfPlace,
  cpu: number,
): string | undefined {
  for (const [name, cpus] of exclusive)
    if (name !== pod && cpus.includes(cpu)) return `exclusive to pod ${name}`;
  const isOwn = pod !== undefined && exclusive.get(pod)?.includes(cpu) === true;
  return topology.isolated.includes(cpu) && !isOwn ? "isolated" : undefined;
}
