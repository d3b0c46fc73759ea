// Asks the kubelet which devices its pods have, where it can be asked.

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";

/** A person waits for the answer. */
const timeoutMs = 2_000;

/** All pods with their devices; `undefined` without a kubelet to ask, with the reason in `problems` when it does not answer. */
export async function readPodAllocations(
  host: Pick<Host, "files" | "paths" | "clock">,
  problems: string[],
): Promise<readonly PodAllocation[] | undefined> {
  try {
    if (host.files.stat(host.paths.kubelet.podResourcesSocket)?.kind !== "socket") return undefined;
    const { PodResources } = await import("../../kubelet/pod-resources.ts");
    using kubelet = new PodResources(host, { timeoutMs });
    return await kubelet.list();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** The pod that has one of these devices of the resource. */
export function findPodOf(
  pods: readonly PodAllocation[],
  { resource, ids }: { readonly resource: string; readonly ids: readonly string[] },
): PodAllocation | undefined {
  return pods.find(({ containers }) =>
    containers.some(({ devices }) => ids.some((id) => devices.get(resource)?.includes(id))),
  );
}
