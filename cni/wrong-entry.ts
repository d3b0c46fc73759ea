// A chained entry with a mistake: it fails the pods that have VFs, and no other.

import type { Host } from "../host/host.ts";
import { checkConfig } from "./config.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import { mayHaveVf } from "./pod-devices.ts";
import type { Request } from "./request.ts";

/**
 * Throws the ERR_NETWORK_CONFIG of `request` unless the kubelet gave its pod nothing that can be a VF: which networks are meant for
 * which VFs a wrong configuration does not tell. Also ERR_CNI_KUBELET.
 */
export async function checkPodHasNoVf(
  host: Pick<Host, "files" | "paths" | "clock">,
  request: Request,
): Promise<void> {
  const { uid, pod } = request.pod;
  if (uid === undefined) return checkConfig(request);
  const facts = await readKubeletFacts(host, pod);
  if (mayHaveVf(host, facts, uid, request.config)) checkConfig(request);
}
