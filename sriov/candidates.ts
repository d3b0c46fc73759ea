// Which CPUs may serve a VF's interrupts under a policy, and why each other CPU may not.

import type { CpuFacts, CpuRule, VfPlace } from "./cpu-facts.ts";
import { orderCpus } from "./cpu-order.ts";
import { listRules } from "./cpu-rules.ts";
import type { ChosenPolicy, TuningPolicy } from "./tuning-policy.ts";

export interface Candidates {
  /** The policy that is in force: another one than asked for where that could not be met. */
  readonly policy: TuningPolicy;
  /** The preferred ones first. */
  readonly cpus: readonly number[];
  /** CPUs to be close to; empty for any. */
  readonly near: readonly number[];
  /** Queue 0 goes to the first CPU, queue 1 to the second, and so on in turn. */
  readonly isByQueue: boolean;
  /** Every other online CPU with the reason. */
  readonly leftOut: ReadonlyMap<number, string>;
  /** Sentences: what could not be met, and what is done instead. */
  readonly notes: readonly string[];
}

/** The candidates for a VF. There is always one, except for `none`: each policy has rules to fall back to. */
export function listCandidates(facts: CpuFacts, vf: VfPlace, chosen: ChosenPolicy): Candidates {
  const { topology } = facts;
  const rules = listRules(facts, vf, chosen);
  // What a policy could not do first says nothing more once it does something else again.
  const unmet = new Map<TuningPolicy, string>();
  for (const rule of rules) {
    const cpus = topology.online.filter((cpu) => rule.judge(cpu) === undefined);
    if (cpus.length === 0) {
      if (rule.unmet !== undefined) unmet.set(rule.policy, rule.unmet);
      continue;
    }
    const notes = [...unmet.values(), ...(rule.note === undefined ? [] : [rule.note])];
    return describe(facts, rule, cpus, notes);
  }
  return {
    policy: chosen.policy,
    cpus: [],
    near: [],
    isByQueue: false,
    leftOut: new Map(),
    notes: [...unmet.values()],
  };
}

function describe(
  { topology }: CpuFacts,
  rule: CpuRule,
  cpus: readonly number[],
  notes: readonly string[],
): Candidates {
  return {
    policy: rule.policy,
    cpus: orderCpus(topology, cpus),
    near: rule.near,
    isByQueue: rule.isByQueue,
    leftOut: new Map(
      topology.online.flatMap((cpu) => {
        const reason = rule.judge(cpu);
        return reason === undefined ? [] : [[cpu, reason] as const];
      }),
    ),
    notes,
  };
}
