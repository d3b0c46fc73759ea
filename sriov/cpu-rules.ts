// The policies as rules: each says of a CPU why it may not serve a VF's interrupts, and what is done when none may.

import { type CpuFacts, type CpuRule, createFreeJudge, type VfPlace } from "./cpu-facts.ts";
import { formatCpuList } from "./cpu-list.ts";
import { podRules } from "./pod-cpu-rules.ts";
import type { CpuTopology } from "./topology.ts";
import type { ChosenPolicy } from "./tuning-policy.ts";

/** The rules for a VF, the first that has a CPU is in force; none for policy `none`. */
export function listRules(facts: CpuFacts, vf: VfPlace, chosen: ChosenPolicy): readonly CpuRule[] {
  switch (chosen.policy) {
    case "none":
      return [];
    case "numa-spread":
      return spreadRules(facts, vf);
    case "housekeeping":
      return [...housekeepingRules(facts, vf), ...spreadRules(facts, vf)];
    case "follow-pod":
    case "pod-sibling":
    case "pod-first-core":
      return [...podRules(facts, vf, chosen.policy), ...spreadRules(facts, vf)];
    case "dedicated":
      return [dedicatedRule(facts, vf, chosen.coresPerNode), ...spreadRules(facts, vf)];
    case "explicit":
      return [explicitRule(facts, chosen.cpus ?? []), ...spreadRules(facts, vf)];
  }
}

const plain = { near: [], isByQueue: false } as const;

function spreadRules(facts: CpuFacts, vf: VfPlace): readonly CpuRule[] {
  const judgeNode = createNodeJudge(facts.topology, vf);
  const judgeFree = createFreeJudge(facts, vf.pod);
  const where = vf.numaNode === undefined ? "near the VF" : `on NUMA node ${vf.numaNode}`;
  const policy = "numa-spread";
  const isolated = new Set(facts.topology.isolated);
  function judgeExclusive(cpu: number): string | undefined {
    const reason = judgeFree(cpu);
    return reason === "isolated" ? undefined : reason;
  }
  // Also the pod's own: who isolates CPUs has interrupts there by a policy that goes by them, or not at all.
  function judgeOpen(cpu: number): string | undefined {
    return judgeExclusive(cpu) ?? (isolated.has(cpu) ? "isolated" : undefined);
  }
  return [
    {
      ...plain,
      policy,
      judge: (cpu) => judgeNode(cpu) ?? judgeOpen(cpu),
      unmet: `no online CPU ${where} is free and not isolated, using other nodes`,
    },
    {
      ...plain,
      policy,
      judge: judgeOpen,
      unmet: "every online CPU that no pod has for itself is isolated, using them all the same",
    },
    {
      ...plain,
      policy,
      judge: judgeExclusive,
      unmet: "other pods have every online CPU for themselves, using them all the same",
    },
    { ...plain, policy, judge: () => undefined, unmet: undefined },
  ];
}

function housekeepingRules(facts: CpuFacts, vf: VfPlace): readonly CpuRule[] {
  const judgeNode = createNodeJudge(facts.topology, vf);
  const policy = "housekeeping";
  const judge = (cpu: number): string | undefined =>
    facts.housekeeping.includes(cpu) ? undefined : "no housekeeping CPU";
  return [
    {
      ...plain,
      policy,
      judge: (cpu) => judge(cpu) ?? judgeNode(cpu),
      unmet: "no housekeeping CPU on the VF's NUMA node, using those of other nodes",
    },
    { ...plain, policy, judge, unmet: "no housekeeping CPU is online, using numa-spread" },
  ];
}

/** k whole cores of the VF's node: housekeeping ones first, since no pod ever gets those for itself. */
function dedicatedRule(facts: CpuFacts, vf: VfPlace, coresPerNode: number | undefined): CpuRule {
  const { topology, housekeeping } = facts;
  const judgeNode = createNodeJudge(topology, vf);
  // The same cores for every VF of the node: those of its own pod are not free either.
  const judgeFree = createFreeJudge(facts, undefined);
  const coreOf = (cpu: number): string => topology.cpus.get(cpu)?.core ?? `${cpu}`;
  const ofNode = topology.online.filter((cpu) => judgeNode(cpu) === undefined);
  const cores = Map.groupBy(ofNode, coreOf);
  const free = [...cores].filter(([, cpus]) => cpus.every((cpu) => judgeFree(cpu) === undefined));
  const isHousekeeping = (cpus: readonly number[]): boolean =>
    cpus.every((cpu) => housekeeping.includes(cpu));
  const ranked = [
    ...free.filter(([, cpus]) => isHousekeeping(cpus)),
    ...free.filter(([, cpus]) => !isHousekeeping(cpus)),
  ].map(([core]) => core);
  const count = coresPerNode ?? Math.ceil(cores.size / 16);
  const taken = new Set(ranked.slice(0, count));
  return {
    ...plain,
    policy: "dedicated",
    judge: (cpu) =>
      judgeNode(cpu) ??
      judgeFree(cpu) ??
      (taken.has(coreOf(cpu)) ? undefined : `not of the ${count} dedicated cores of its node`),
    unmet: "no core of the VF's NUMA node is free to be dedicated, using numa-spread",
    note:
      taken.size < count
        ? `${taken.size} of ${count} cores are free to be dedicated on the VF's NUMA node`
        : undefined,
  };
}

function explicitRule({ topology }: CpuFacts, cpus: readonly number[]): CpuRule {
  const missing = cpus.filter((cpu) => !topology.cpus.has(cpu));
  const list = formatCpuList(cpus);
  return {
    ...plain,
    policy: "explicit",
    judge: (cpu) => (cpus.includes(cpu) ? undefined : `not in the list ${list}`),
    unmet:
      cpus.length === 0
        ? "policy explicit has no list of CPUs (tuning.cpus in node.yaml), using numa-spread"
        : `no CPU of the list ${list} is online, using numa-spread`,
    note:
      missing.length === 0 ? undefined : `CPUs ${formatCpuList(missing)} of the list ${list} are not online`,
  };
}

function createNodeJudge(topology: CpuTopology, vf: VfPlace): (cpu: number) => string | undefined {
  const local = new Set(
    vf.numaNode === undefined ? vf.localCpus : (topology.nodes.get(vf.numaNode) ?? vf.localCpus),
  );
  // A device that names no CPU at all is near to each.
  const isAnywhere = vf.numaNode === undefined && topology.online.every((cpu) => !local.has(cpu));
  return (cpu) => {
    if (isAnywhere || local.has(cpu)) return undefined;
    if (vf.numaNode === undefined) return "not near the VF";
    return `on NUMA node ${topology.cpus.get(cpu)?.node ?? "unknown"}`;
  };
}
