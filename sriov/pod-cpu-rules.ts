// The rules of the policies that go by the CPUs which the pod has for itself.

import { type CpuFacts, type CpuRule, createFreeJudge, type VfPlace } from "./cpu-facts.ts";

type PodPolicy = "follow-pod" | "pod-sibling" | "pod-first-core";

/** The policy's rules; numa-spread is to follow them. A pod without CPUs of its own meets none of them. */
export function podRules(facts: CpuFacts, vf: VfPlace, policy: PodPolicy): readonly CpuRule[] {
  const { topology, exclusive } = facts;
  const own = (vf.pod === undefined ? undefined : exclusive.get(vf.pod))?.filter((cpu) =>
    topology.cpus.has(cpu),
  );
  if (own === undefined || own.length === 0) return [noOwnCpus(policy)];
  const judgeFree = createFreeJudge(facts, vf.pod);
  switch (policy) {
    case "follow-pod":
      return [
        {
          policy,
          judge: (cpu) => (own.includes(cpu) ? undefined : "not the pod's own"),
          unmet: undefined,
          near: own,
          isByQueue: true,
        },
      ];
    case "pod-sibling":
      return [siblingRule(facts, own, judgeFree), cacheRule(facts, own, judgeFree)];
    case "pod-first-core":
      return [firstCoreRule(facts, own, judgeFree)];
  }
}

function noOwnCpus(policy: PodPolicy): CpuRule {
  return {
    policy,
    judge: () => "not the pod's own",
    unmet: "the pod has no CPUs for itself, using numa-spread",
    near: [],
    isByQueue: false,
  };
}

function siblingRule(facts: CpuFacts, own: readonly number[], judgeFree: CpuRule["judge"]): CpuRule {
  const siblings = new Set(
    own.flatMap((cpu) => facts.topology.cpus.get(cpu)?.siblings.filter((other) => other !== cpu) ?? []),
  );
  return {
    policy: "pod-sibling",
    judge: (cpu) => (siblings.has(cpu) ? judgeFree(cpu) : "no hyperthread sibling of the pod's CPUs"),
    unmet:
      "no hyperthread sibling of the pod's CPUs is free or the pod's own, using CPUs that share their level-3 cache",
    near: own,
    isByQueue: false,
  };
}

function cacheRule(facts: CpuFacts, own: readonly number[], judgeFree: CpuRule["judge"]): CpuRule {
  const { cpus } = facts.topology;
  const caches = new Set(own.map((cpu) => cpus.get(cpu)?.l3).filter((l3) => l3 !== undefined));
  return {
    policy: "pod-sibling",
    judge(cpu) {
      const l3 = cpus.get(cpu)?.l3;
      if (l3 === undefined || !caches.has(l3)) return "in another level-3 cache than the pod's CPUs";
      return own.includes(cpu) ? "busy with the pod itself" : judgeFree(cpu);
    },
    unmet: "no CPU that shares a level-3 cache with the pod's CPUs is free, using numa-spread",
    near: own,
    isByQueue: false,
  };
}

function firstCoreRule(facts: CpuFacts, own: readonly number[], judgeFree: CpuRule["judge"]): CpuRule {
  const first = Math.min(...own);
  const core = facts.topology.cpus.get(first)?.siblings ?? [first];
  return {
    policy: "pod-first-core",
    judge: (cpu) => (core.includes(cpu) ? judgeFree(cpu) : `not on the core of CPU ${first}`),
    unmet: undefined,
    near: own,
    isByQueue: false,
  };
}
