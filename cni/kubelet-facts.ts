// What the kubelet says of devices: its checkpoint, or its PodResources API where that file cannot be read.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { AttachmentOwner } from "../sriov/attachment.ts";
import { readCheckpoint, type Checkpoint } from "../kubelet/checkpoint.ts";
import { KubeletError } from "./errors.ts";

/**
 * The kubelet's devices; `undefined` on a node without a kubelet, or before its first device plugin. gRPC is loaded only when
 * the checkpoint is missing or unreadable and there is a socket to ask at. Throws ERR_CNI_KUBELET when nobody can tell, also
 * where PodResources tells nothing of a pod that the unreadable checkpoint names: it leaves out what init containers have.
 */
export async function readKubeletFacts(
  host: Pick<Host, "files" | "paths" | "clock">,
  pod: AttachmentOwner["pod"],
): Promise<Checkpoint | undefined> {
  let problem: HostError | undefined;
  try {
    const checkpoint = readCheckpoint(host);
    if (checkpoint !== undefined) return checkpoint;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    problem = error;
  }
  if (host.files.stat(host.paths.kubelet.podResourcesSocket)?.kind === "socket" && pod !== undefined) {
    const facts = await askPodResources(host, pod, problem);
    if (problem !== undefined && hasNothing(facts, pod.uid) && isNamed(host, pod.uid))
      throw new KubeletError(
        `${problem.message}, but it names the pod, of which PodResources tells no device: those of init containers it leaves out`,
        { cause: problem },
      );
    return facts;
  }
  if (problem === undefined) return undefined;
  throw new KubeletError(`${problem.message}, and the kubelet's PodResources API cannot be asked instead`, {
    cause: problem,
  });
}

async function askPodResources(
  host: Pick<Host, "paths" | "clock">,
  pod: NonNullable<AttachmentOwner["pod"]>,
  problem: HostError | undefined,
): Promise<Checkpoint> {
  const { PodResources } = await import("../kubelet/pod-resources.ts");
  try {
    using kubelet = new PodResources(host);
    const [allocation, allocatable] = await Promise.all([
      kubelet.get(pod.namespace, pod.name),
      kubelet.getAllocatable(),
    ]);
    const containers = new Map(allocation?.containers.map(({ name, devices }) => [name, devices]));
    return { pods: new Map([[pod.uid, containers]]), registeredDevices: allocatable.devices };
  } catch (cause) {
    const why = problem === undefined ? "there is no checkpoint" : problem.message;
    throw new KubeletError(`${why}, and asking PodResources failed: ${String(cause)}`, { cause });
  }
}

function hasNothing({ pods }: Checkpoint, uid: string): boolean {
  return [...(pods.get(uid)?.values() ?? [])].every((devices) => devices.size === 0);
}

// Whatever its format: only pods that have devices stand in it.
function isNamed({ files, paths }: Pick<Host, "files" | "paths">, uid: string): boolean {
  try {
    return files.readText(paths.kubelet.checkpoint)?.includes(JSON.stringify(uid)) === true;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}
