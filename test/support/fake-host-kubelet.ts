// The fake node's kubelet: its device checkpoint, as the real one writes it.

import * as fs from "node:fs";
import { dirname } from "node:path";

export interface FakeAllocation {
  readonly uid: string;
  /** Devices by container. */
  readonly containers: Readonly<Record<string, readonly string[]>>;
  readonly resource: string;
  readonly registered: readonly string[];
}

/** Adds the allocation to the checkpoint at `path`. Source: kubernetes pkg/kubelet/cm/devicemanager/checkpoint/checkpoint.go. */
export function writeCheckpoint(
  path: string,
  { uid, containers, resource, registered }: FakeAllocation,
): void {
  const before = fs.existsSync(path)
    ? (JSON.parse(fs.readFileSync(path, "utf8")) as { Data: { PodDeviceEntries: object[] } })
    : { Data: { PodDeviceEntries: [] } };
  const added = Object.entries(containers).map(([container, ids]) => ({
    PodUID: uid,
    ContainerName: container,
    ResourceName: resource,
    DeviceIDs: { "0": ids },
    AllocResp: "",
  }));
  fs.mkdirSync(dirname(path), { recursive: true });
  const data = {
    PodDeviceEntries: [...before.Data.PodDeviceEntries, ...added],
    RegisteredDevices: { [resource]: registered },
  };
  fs.writeFileSync(path, JSON.stringify({ Data: data, Checksum: 1 }));
}
