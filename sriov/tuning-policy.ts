// Which CPUs may serve a VF's interrupts: the tuning policies and the candidate CPUs each of them gives.

import type { CpuTopology } from "./topology.ts";

/** `numa-spread`: the CPUs of the VF's NUMA node, evenly; `none`: hands off. */
export type TuningPolicy = "numa-spread" | "none";

/** A policy, with a sentence when it is not the one that was asked for. */
export interface ChosenPolicy {
  readonly policy: TuningPolicy;
  readonly note: string | undefined;
}

/** CPUs in order of preference, with a sentence when the policy could not be met as it stands. */
export interface Candidates {
  readonly cpus: readonly number[];
  readonly note: string | undefined;
}

/** The policy for a VF: what its network asked for when it is known here, else numa-spread. */
export function choosePolicy(asked: string | undefined): ChosenPolicy {
  switch (asked) {
    case undefined:
    case "numa-spread":
      return { policy: "numa-spread", note: undefined };
    case "none":
      return { policy: "none", note: undefined };
    default:
      return { policy: "numa-spread", note: `policy "${asked}" is not known here, using numa-spread` };
  }
}

/**
 * The CPUs that numa-spread allows: online ones of the VF's node, without isolated ones; one per physical core before
 * its siblings, L3 groups taking turns. A node without such a CPU falls back to the other nodes, then to isolated CPUs.
 */
export function spreadCandidates(
  topology: CpuTopology,
  vf: { readonly numaNode: number | undefined; readonly localCpus: readonly number[] },
): Candidates {
  const isolated = new Set(topology.isolated);
  const online = new Set(topology.online);
  const ofNode = (
    vf.numaNode === undefined ? vf.localCpus : (topology.nodes.get(vf.numaNode) ?? vf.localCpus)
  ).filter((cpu) => online.has(cpu));
  const local = (ofNode.length === 0 && vf.numaNode === undefined ? topology.online : ofNode).filter(
    (cpu) => !isolated.has(cpu),
  );
  if (local.length > 0) return { cpus: orderCpus(topology, local), note: undefined };

  const where = vf.numaNode === undefined ? "near the VF" : `on NUMA node ${vf.numaNode}`;
  const remote = topology.online.filter((cpu) => !isolated.has(cpu));
  if (remote.length > 0) {
    return {
      cpus: orderCpus(topology, remote),
      note: `no online CPU that is not isolated ${where}, using other nodes`,
    };
  }
  return {
    cpus: orderCpus(topology, topology.online),
    note: "every online CPU is isolated, using them all the same",
  };
}

/** First hyperthreads before second ones, and among equals one of each L3 group in turn. */
function orderCpus(topology: CpuTopology, cpus: readonly number[]): readonly number[] {
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
