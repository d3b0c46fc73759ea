// Which policy the VF of a record has, and which CPUs that leaves for it.

import type { Attachment } from "../sriov/attachment.ts";
import { type Candidates, listCandidates } from "../sriov/candidates.ts";
import type { VfPlace } from "../sriov/cpu-facts.ts";
import type { TunableVf } from "../sriov/inventory.ts";
import { type ChosenPolicy, choosePolicy } from "../sriov/tuning-policy.ts";
import type { NodeFacts } from "./node-facts.ts";

/** As asked for; `candidates` has the one in force. */
export interface VfPolicy {
  readonly chosen: ChosenPolicy;
  readonly candidates: Candidates;
  readonly place: VfPlace;
}

export function chooseVfPolicy(facts: NodeFacts, record: Attachment, vf: TunableVf): VfPolicy {
  const { pod } = record.owner;
  const chosen = choosePolicyOf(facts, record);
  const place = {
    numaNode: vf.numaNode,
    localCpus: vf.localCpus,
    pod: pod === undefined ? undefined : `${pod.namespace}/${pod.name}`,
  };
  return { chosen, candidates: listCandidates(facts, place, chosen), place };
}

/** Whether the VF of `record` is to be left as it was. */
export function isHandsOff(facts: NodeFacts, record: Attachment): boolean {
  return choosePolicyOf(facts, record).policy === "none";
}

/** The policy that is asked for. */
export function choosePolicyOf({ config, resourceOf }: NodeFacts, record: Attachment): ChosenPolicy {
  return choosePolicy(config, record.tuning ?? {}, resourceOf.get(record.device.address));
}
