// Which policy a VF has, who asked for it, and which CPUs that leaves: for people and programs.

import type { Candidates } from "../sriov/candidates.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import type { ChosenPolicy } from "../sriov/tuning-policy.ts";

/** CPU sets in the kernel's list format. */
export interface PolicyReport {
  /** In force, and the one asked for, with who asked. */
  readonly policy: string;
  readonly askedPolicy: string;
  readonly askedBy: string;
  readonly candidates: string;
  /** Why each other online CPU is no candidate: CPU lists by reason. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Sentences: what could not be met, and what is done instead. */
  readonly notes: readonly string[];
}

/** What was chosen for a VF, and what came of it. */
export interface PolicyOutcome {
  readonly chosen: ChosenPolicy;
  readonly candidates: Candidates;
}

export function describePolicy({ chosen, candidates }: PolicyOutcome): PolicyReport {
  return {
    policy: candidates.policy,
    askedPolicy: chosen.policy,
    askedBy: chosen.source,
    candidates: formatCpuList(candidates.cpus),
    leftOut: listLeftOut(candidates.leftOut),
    notes: [...(chosen.note === undefined ? [] : [chosen.note]), ...candidates.notes],
  };
}

/** A line for the policy, and one for each reason that CPUs are left out for. */
export function formatPolicy(address: string, report: PolicyReport): readonly string[] {
  const asked = report.policy === report.askedPolicy ? "" : ` instead of ${report.askedPolicy}`;
  const line = `${address}: policy ${report.policy}${asked} (${report.askedBy})`;
  if (report.candidates === "") return [line];
  return [
    `${line}, CPUs ${report.candidates}`,
    ...Object.entries(report.leftOut).map(([reason, cpus]) => `  not ${cpus}: ${reason}`),
  ];
}

function listLeftOut(leftOut: ReadonlyMap<number, string>): Readonly<Record<string, string>> {
  const byReason = Map.groupBy(leftOut.keys(), (cpu) => leftOut.get(cpu) ?? "");
  return Object.fromEntries([...byReason].map(([reason, cpus]) => [reason, formatCpuList(cpus)]));
}
