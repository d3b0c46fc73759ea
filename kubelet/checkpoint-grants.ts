// What the kubelet's checkpoint keeps of a device plugin's answers: containers get it again at each start, also after a reboot.
import type { Host } from "../host/host.ts";
import { decodeCheckpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";
import { ContainerAllocateResponse } from "./gen/deviceplugin.ts";

/** What one container was given of one resource. */
export interface DeviceGrant {
  readonly podUid: string;
  readonly container: string;
  readonly resource: string;
  readonly ids: readonly string[];
  /** Device nodes of the node: "/dev/vfio/42". */
  readonly nodes: readonly string[];
}

/** The grants of this node; none before the first plugin registered. Throws ERR_CHECKPOINT. Source: kubernetes checkpoint.go, AllocResp. */
export function readDeviceGrants(host: Pick<Host, "files" | "paths">): readonly DeviceGrant[] {
  const path = host.paths.kubelet.checkpoint;
  const text = host.files.readText(path);
  const entries = text === undefined ? undefined : decodeCheckpoint(text, path).Data.PodDeviceEntries;
  return (entries ?? []).map((entry) => ({
    podUid: entry.PodUID,
    container: entry.ContainerName,
    resource: entry.ResourceName,
    ids: Object.values(entry.DeviceIDs ?? {}).flatMap((ids) => ids ?? []),
    nodes: decodeNodes(entry.AllocResp ?? "", path),
  }));
}

function decodeNodes(base64: string, path: string): readonly string[] {
  try {
    return ContainerAllocateResponse.decode(Buffer.from(base64, "base64")).devices.map(
      ({ hostPath }) => hostPath,
    );
  } catch (cause) {
    throw new CheckpointError(path, "AllocResp: expected a ContainerAllocateResponse", { cause });
  }
}
