// Whether virtfn placed the interrupts of a variant by the policy that the variant is named after.

import type { NodeReport } from "../../../tuning/node-report.ts";

/** A policy that fell back: what was measured would be another one's figure. */
export class PolicyNotInForceError extends Error {}

/**
 * Throws PolicyNotInForceError with what is in force instead, each reason once. `printed`: of `virtfn tuning --once --json`; `vfs`: PCI
 * addresses. A FALLBACK counts also where the policy keeps its name, as with CPUs of another NUMA node.
 */
export function checkPolicyInForce(printed: string, policy: string, vfs: readonly string[]): void {
  const report = JSON.parse(printed) as Pick<NodeReport, "vfs" | "problems">;
  const reasons = new Set(vfs.flatMap((address) => whyNotInForce(report, policy, address)));
  if (reasons.size === 0) return;
  throw new PolicyNotInForceError(`policy ${policy} is not in force: ${[...reasons].join("; ")}`);
}

function whyNotInForce(
  { vfs, problems }: Pick<NodeReport, "vfs" | "problems">,
  policy: string,
  address: string,
): readonly string[] {
  const vf = vfs.find((one) => one.address === address);
  if (vf === undefined) return [`virtfn tuning tells nothing of ${address}`];
  const fallbacks = problems.filter(
    (one) => one.vf === address && one.about === "policy" && one.code === "FALLBACK",
  );
  if (fallbacks.length > 0) return fallbacks.map(({ message }) => message);
  return vf.policy === policy ? [] : [`${vf.policy} is, asked for by ${vf.askedBy}`];
}
