// CNI_ARGS: who the pod is, and what a pod may choose through it (the table in config-sources.ts).

import type { AttachmentOwner } from "../sriov/attachment.ts";

export interface PodArguments {
  /** Undefined unless namespace, name and UID are all given. */
  readonly pod: AttachmentOwner["pod"];
  /** Undefined also where it is empty: no pod of the kubelet's is without. */
  readonly uid: string | undefined;
  /** All pairs, as they came; keys of other plugins are among them. */
  readonly values: Readonly<Record<string, string>>;
}

/** Reads `K=V;K=V`, of which variables.ts knows that each pair has a key. */
export function parsePodArguments(text: string): PodArguments {
  const pairs = text.split(";").filter((pair) => pair !== "");
  const values = Object.fromEntries(pairs.map((pair) => splitPair(pair)));
  const { K8S_POD_NAMESPACE: namespace, K8S_POD_NAME: name } = values;
  const uid = orNone(values["K8S_POD_UID"]);
  const isWhole = namespace !== undefined && name !== undefined && uid !== undefined;
  return { pod: isWhole ? { namespace, name, uid } : undefined, uid, values };
}

/** The UID alone, for a call that needs no more. */
export function readPodUid(text: string): string | undefined {
  const [pairs, key] = [`;${text};`, ";K8S_POD_UID="];
  // The last one counts, as above.
  const at = pairs.lastIndexOf(key);
  return at < 0 ? undefined : orNone(pairs.slice(at + key.length, pairs.indexOf(";", at + 1)));
}

function orNone(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
