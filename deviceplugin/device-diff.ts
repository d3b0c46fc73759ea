// What changed between two scans of one resource.
import type { DeviceId } from "../sriov/aux-device.ts";
import type { DeviceList, OfferedDevice } from "./device-tree.ts";

export interface DeviceDiff {
  readonly added: readonly DeviceId[];
  /** The same address with another driver or NUMA node, or made anew. */
  readonly changed: readonly DeviceId[];
  readonly removed: readonly DeviceId[];
}

/** The difference from `before` to `after`; each list in the order of the list that has the device. */
export function diffDevices(before: DeviceList, after: DeviceList): DeviceDiff {
  const added = [...after.keys()].filter((id) => !before.has(id));
  const removed = [...before.keys()].filter((id) => !after.has(id));
  const changed = [...after].filter(([id, device]) => isChanged(before.get(id), device)).map(([id]) => id);
  return { added, changed, removed };
}

/** Whether a diff says that nothing happened. */
export function isEmptyDiff({ added, changed, removed }: DeviceDiff): boolean {
  return added.length + changed.length + removed.length === 0;
}

function isChanged(before: OfferedDevice | undefined, after: OfferedDevice): boolean {
  if (before === undefined) return false;
  return before.driver !== after.driver || before.numaNode !== after.numaNode || before.inode !== after.inode;
}
