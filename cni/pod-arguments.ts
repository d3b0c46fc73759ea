// CNI_ARGS: who the pod is, and what a pod may choose through it (the table in config-sources.ts).

import type { AttachmentOwner } from "../sriov/attachment.ts";

export interface PodArguments {
  /** Undefined unless namespace, name and UID are all given. */
  readonly pod: AttachmentOwner["pod"];
  readonly uid: string | undefined;
  /** All pairs, as they came; keys of other plugins are among them. */
  readonly values: Readonly<Record<string, string>>;
}

/** Reads `K=V;K=V`, of which environment.ts knows that each pair has a key. */
export function parsePodArguments(text: string): PodArguments {
  const pairs = text.split(";").filter((pair) => pair !== "");
  const values = Object.fromEntries(pairs.map((pair) => splitPair(pair)));
  const { K8S_POD_NAMESPACE: namespace, K8S_POD_NAME: name, K8S_POD_UID: uid } = values;
  const isWhole = namespace !== undefined && name !== undefined && uid !== undefined;
  return { pod: isWhole ? { namespace, name, uid } : undefined, uid, values };
}

function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
