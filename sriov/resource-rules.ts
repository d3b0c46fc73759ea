// What the configuration of a resource says to the CNI plugin and to tuning of its VFs; the device plugin hands it on in pools.json.

import type { ConfigProblem } from "./config-problems.ts";
import { formatPolicy, parsePolicy, type PolicyDefaults, type TuningConfig } from "./tuning-config.ts";
import { formatVfLimits, parseVfLimits, type VfLimits } from "./vf-limits.ts";

/** Undefined: the configuration says nothing of it. */
export interface ResourceRules {
  /** They add up with those of node.yaml. */
  readonly limits: VfLimits | undefined;
  /** What node.yaml says for the resource goes before it, what it says for the node comes behind. */
  readonly tuning: PolicyDefaults | undefined;
}

/** Rules by resource name; a resource without any is not in it. */
export type RulesByResource = ReadonlyMap<string, ResourceRules>;

/** The keys `limits` and `tuning` as resolved values, with every problem. */
export function parseResourceRules(
  { limits, tuning }: { readonly limits: unknown; readonly tuning: unknown },
  path: string,
): { readonly rules: ResourceRules; readonly problems: readonly ConfigProblem[] } {
  const ofLimits = limits === undefined ? undefined : parseVfLimits(limits, `${path}.limits`);
  const ofTuning = tuning === undefined ? undefined : parsePolicy(tuning, `${path}.tuning`);
  return {
    rules: { limits: ofLimits?.limits, tuning: ofTuning?.policy },
    problems: [...(ofLimits?.problems ?? []), ...(ofTuning?.problems ?? [])],
  };
}

/** The objects that `parseResourceRules` reads as these rules. */
export function formatResourceRules({ limits, tuning }: ResourceRules): object {
  return { limits: limits && formatVfLimits(limits), tuning: tuning && formatPolicy(tuning) };
}

/** The policies of the node's resources where both places say something: key by key, node.yaml first. */
export function mergePolicies(
  { resources }: Pick<TuningConfig, "resources">,
  rules: RulesByResource,
): TuningConfig["resources"] {
  const merged = new Map(resources);
  for (const [name, { tuning }] of rules) {
    if (tuning === undefined) continue;
    const given = Object.entries(resources.get(name) ?? {}).filter(([, value]) => value !== undefined);
    merged.set(name, { ...tuning, ...Object.fromEntries(given) });
  }
  return merged;
}
