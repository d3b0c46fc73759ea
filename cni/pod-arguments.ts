// CNI_ARGS: who the pod is, and the two things that a pod may choose through it.

import type { AttachmentOwner } from "../sriov/attachment.ts";
import { ConfigError } from "../sriov/config-problems.ts";

export interface PodArguments {
  /** Undefined unless namespace, name and UID are all given. */
  readonly pod: AttachmentOwner["pod"];
  readonly uid: string | undefined;
  readonly mac: string | undefined;
}

/**
 * Reads `K=V;K=V`. Keys of other plugins are passed over; a key of ours that a pod may not set (`isOurs`) throws
 * ERR_NETWORK_CONFIG.
 */
export function parsePodArguments(text: string, isOurs: (key: string) => boolean): PodArguments {
  const pairs = text.split(";").filter((pair) => pair !== "");
  const values = new Map(pairs.map((pair) => splitPair(pair)));
  const forbidden = [...values.keys()].filter((key) => isOurs(key) && key.toLowerCase() !== "mac");
  if (forbidden.length > 0)
    throw new ConfigError(
      "CNI_ARGS",
      forbidden.map((key) => `${key}: may not be set here, put it into the network configuration`),
    );
  const [namespace, name] = [values.get("K8S_POD_NAMESPACE"), values.get("K8S_POD_NAME")];
  const uid = values.get("K8S_POD_UID");
  const isWhole = namespace !== undefined && name !== undefined && uid !== undefined;
  return { pod: isWhole ? { namespace, name, uid } : undefined, uid, mac: values.get("MAC") };
}

function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
