// Devices that the kubelet may give to pods, or gave already: nobody else takes them.

import type { Host } from "../host/host.ts";
import type { Checkpoint } from "../kubelet/checkpoint.ts";
import { readAdvertisedPools } from "../sriov/advertised-pools.ts";

/**
 * Why each device is the kubelet's, by device id: allocated to some pod, registered, or offered by the device plugin. The kubelet
 * itself forgets what is unhealthy, and everything while it restarts: only the three together tell. Throws ERR_RECORD_CORRUPT.
 */
export function listHandedOut(
  host: Pick<Host, "files" | "paths">,
  facts: Checkpoint | undefined,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (devices: ReadonlyMap<string, readonly string[]>, words: string): void => {
    for (const [resource, ids] of devices) for (const id of ids) found.set(id, `${words} ${resource}`);
  };
  for (const containers of facts?.pods.values() ?? [])
    for (const devices of containers.values()) add(devices, "the kubelet gave it to a pod as");
  add(facts?.registeredDevices ?? new Map(), "the kubelet hands it out as");
  add(readAdvertisedPools(host) ?? new Map(), "the device plugin offers it as");
  return found;
}
