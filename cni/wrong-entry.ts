// A chained entry with a mistake: it fails the pods that have VFs, and no other.

import type { Host } from "../host/host.ts";
import { mayBeVf } from "../sriov/pci-device.ts";
import { checkConfig } from "./config.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import { listPodResources } from "./pod-devices.ts";
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
  const resources = new Set(request.config.networks.map(({ resource }) => resource));
  const isMeant = ([resource, ids]: readonly [string, readonly string[]]): boolean =>
    resources.has(resource) || ids.some((id) => mayBeVf(host, id));
  if (listPodResources(facts, uid).some(isMeant)) checkConfig(request);
}
