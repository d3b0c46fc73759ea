// The rest of a fixture tree: bonds and VLANs in /sys/class/net, the namespaces of process 1 and ours in /proc.

import type { UpperDevice } from "../fixtures/machines.ts";
import type { FolderEntry, FolderPlan } from "./fixture-folder.ts";

/** Virtual devices and the links between them and what is below; `folderOf` tells where a hardware netdev is. */
export function planUppers(uppers: readonly UpperDevice[], folderOf: (netdev: string) => string): FolderPlan {
  const plan: Record<string, FolderEntry> = {};
  const virtual = new Set(uppers.map(({ name }) => name));
  const at = (name: string): string =>
    virtual.has(name) ? `sys/devices/virtual/net/${name}` : folderOf(name);
  for (const [order, { name, over, relation }] of uppers.entries()) {
    plan[`${at(name)}/ifindex`] = String(1000 + order);
    plan[`sys/class/net/${name}`] = { to: at(name) };
    for (const lower of over) {
      plan[`${at(name)}/lower_${lower}`] = { to: at(lower) };
      plan[`${at(lower)}/upper_${name}`] = { to: at(name) };
      if (relation === "master") plan[`${at(lower)}/master`] = { to: at(name) };
    }
  }
  return plan;
}

/** /proc of a process in the host's namespaces: what liveness looks at before it believes what it sees. */
export function planProcesses(): FolderPlan {
  const plan: Record<string, FolderEntry> = {
    "proc/1/mountinfo": "22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "proc/sys/kernel/random/boot_id": "11111111-2222-3333-4444-555555555555",
  };
  for (const process of ["1", "self"]) {
    plan[`proc/${process}/ns/mnt`] = { linkText: "mnt:[4026531841]" };
    plan[`proc/${process}/ns/net`] = { linkText: "net:[4026531840]" };
    plan[`proc/${process}/ns/pid`] = { linkText: "pid:[4026531836]" };
  }
  return plan;
}
