// Which tuning policy a VF has: what was asked for it, by whom, and what the node says.

import type { AskedTuning } from "./attachment.ts";
import type { NetworkPolicy } from "./network-entries.ts";
import type { PolicySettings, TuningConfig } from "./tuning-config.ts";

export type TuningPolicy = NetworkPolicy;

/** A policy with the settings that go with it. `note`: a sentence when it is not the one that was asked for. */
export interface ChosenPolicy extends PolicySettings {
  readonly policy: TuningPolicy;
  readonly source: "pod or network" | "resource" | "node" | "default";
  readonly note: string | undefined;
}

const policies: Readonly<Record<TuningPolicy, true>> = {
  "numa-spread": true,
  housekeeping: true,
  "follow-pod": true,
  "pod-sibling": true,
  "pod-first-core": true,
  dedicated: true,
  explicit: true,
  none: true,
};

/**
 * The policy for a VF, the first of: what its pod or its network asked for (in its record), what the node's configuration says for
 * the VF's resource, what it says for the node, numa-spread. One that this release does not know becomes numa-spread. Its settings
 * are looked for in the same places.
 */
export function choosePolicy(
  config: TuningConfig,
  { policy: asked, ...ofNetwork }: AskedTuning,
  resource: string | undefined,
): ChosenPolicy {
  const ofResource = resource === undefined ? undefined : config.resources.get(resource);
  const settings: PolicySettings = {
    cpus: ofResource?.cpus ?? config.cpus,
    coresPerNode: ofResource?.coresPerNode ?? config.coresPerNode,
    rps: ofResource?.rps ?? config.rps,
    rpsCpus: ofResource?.rpsCpus ?? config.rpsCpus,
    xps: ofResource?.xps ?? config.xps,
    rfs: ofNetwork.rfs ?? ofResource?.rfs ?? config.rfs,
    channelPerCpu: ofNetwork.channelPerCpu ?? ofResource?.channelPerCpu ?? config.channelPerCpu,
    threadedNapi: ofNetwork.threadedNapi ?? ofResource?.threadedNapi ?? config.threadedNapi,
  };
  if (asked !== undefined) {
    const source = "pod or network";
    if (isPolicy(asked)) return { policy: asked, source, note: undefined, ...settings };
    const note = `policy "${asked}" is not known here, using numa-spread`;
    return { policy: "numa-spread", source, note, ...settings };
  }
  if (ofResource?.policy !== undefined)
    return { policy: ofResource.policy, source: "resource", note: undefined, ...settings };
  if (config.policy !== undefined)
    return { policy: config.policy, source: "node", note: undefined, ...settings };
  return { policy: "numa-spread", source: "default", note: undefined, ...settings };
}

function isPolicy(text: string): text is TuningPolicy {
  return Object.hasOwn(policies, text);
}
