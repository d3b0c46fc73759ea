// Whether virtfn placed the interrupts of a variant by the policy that the variant is named after.

import type { NodeReport } from "../../../tuning/node-report.ts";

/** What `virtfn tuning --once --json` prints, as far as it is read. */
type Printed = Pick<NodeReport, "vfs" | "problems"> & { readonly isUnfinished: boolean };

/** A policy that fell back: what was measured would be another one's figure. */
export class PolicyNotInForceError extends Error {}

/** Whether every interrupt was there to be placed, and no lock in the way. */
export function isPlacingDone(printed: string): boolean {
  return !(JSON.parse(printed) as Printed).isUnfinished;
}

/**
 * Throws PolicyNotInForceError with what is in force instead, each reason once. `printed`: of `virtfn tuning --once --json`; `vfs`: PCI
 * addresses. A FALLBACK counts also where the policy keeps its name, as with CPUs of another NUMA node; so does what is not done yet.
 */
export function checkPolicyInForce(printed: string, policy: string, vfs: readonly string[]): void {
  const report = JSON.parse(printed) as Printed;
  const reasons = new Set(vfs.flatMap((address) => whyNotInForce(report, policy, address)));
  if (report.isUnfinished) reasons.add("virtfn tuning did not get done, as interrupts or locks are missing");
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
