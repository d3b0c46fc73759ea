// Which pods the kubelet gave a device to, by its checkpoint.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { createPaths } from "../host/paths.ts";
import { readCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { CheckpointError } from "./errors.ts";

/** UIDs of the pods that the kubelet gave the device to: one, and others that ended and are still in its books. */
export function listHolders(facts: Checkpoint | undefined, device: string): readonly string[] {
  return [...(facts?.pods ?? [])]
    .filter(([, containers]) =>
      [...containers.values()].some((devices) => [...devices.values()].some((ids) => ids.includes(device))),
    )
    .map(([uid]) => uid);
}

/** As `listHolders`, of the node's own checkpoint as it is now; `undefined` where there is none, or it cannot be read or understood. */
export function readHolders(
  { files, paths }: Pick<Host, "files" | "paths">,
  device: string,
): readonly string[] | undefined {
  const facts = tryReadCheckpoint({ files, paths: createPaths(paths.hostRoot) });
  return facts === undefined ? undefined : listHolders(facts, device);
}

/** The kubelet's checkpoint, for who waits for nobody; `undefined` where there is none, or it cannot be read or understood. */
export function tryReadCheckpoint(host: Pick<Host, "files" | "paths">): Checkpoint | undefined {
  try {
    return readCheckpoint(host);
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof HostError) return undefined;
    throw error;
  }
}
