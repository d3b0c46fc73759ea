// The queues of a VF inside its pod's network namespace: their masks and other values, read and written without a mount point.

import type { Host } from "../host/host.ts";
import type { NetnsSysfs } from "../host/netns.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { listQueues } from "../sriov/queue-masks.ts";
import { openRecordNetns } from "./record-netns.ts";

/** `queue`: its folder, "rx-0" or "tx-0"; `text`: rps_cpus or xps_cpus as the kernel printed it, trimmed. */
export interface QueueMask {
  readonly queue: string;
  readonly text: string;
}

/** A number of the netdev, by its path below the netdev's folder: "queues/rx-0/rps_flow_cnt", "threaded"; `text` as the kernel printed it, trimmed. */
export interface NetdevValue {
  readonly path: string;
  readonly text: string;
}

/** Open queues of one VF; dispose of them soon: while they are open, the namespace cannot die. */
export interface VfQueues extends Disposable {
  /** The VF's name in the namespace. */
  readonly netdev: string;
  read(): readonly QueueMask[];
  /** Writes its mask and returns what the kernel made of it. SystemCallError: EINVAL when no allowed CPU is left. */
  write(queue: string, mask: string): string;
  /** The netdev's values that tuning may change, of those that this kernel has. */
  readValues(): readonly NetdevValue[];
  /** Writes one of them and returns what the kernel made of it. */
  writeValue(path: string, text: string): string;
}

/**
 * The queues of the record's VF in the record's namespace, found by PCI address, since pods may rename it; `undefined` when
 * that namespace is gone (another cookie counts as gone) or the VF has no netdev there.
 */
export function openVfQueues(
  host: Pick<Host, "files" | "paths" | "namespaces">,
  record: Attachment,
): VfQueues | undefined {
  using netns = openRecordNetns(host, record);
  if (netns === undefined) return undefined;
  using parts = new DisposableStack();
  const sysfs = parts.use(host.namespaces.openSysfs(netns));
  const netdev = findNetdev(sysfs, record.device.address);
  if (netdev === undefined) return undefined;
  parts.move();
  return openQueues(sysfs, netdev);
}

/** The queues of a netdev in the namespace of `sysfs`, which is disposed of with them. */
export function openQueues(sysfs: NetnsSysfs, netdev: string): VfQueues {
  const device = `class/net/${netdev}`;
  const folder = `${device}/queues`;
  // A device with one transmit queue has no xps_cpus to read (ENOENT).
  const read = (queue: string): string | undefined =>
    sysfs.readText(`${folder}/${queue}/${maskFile(queue)}`)?.trim();
  return {
    netdev,
    read: () =>
      listQueues(sysfs, netdev).flatMap((queue) => {
        const text = read(queue);
        return text === undefined ? [] : [{ queue, text }];
      }),
    write: (queue, mask) => {
      sysfs.writeText(`${folder}/${queue}/${maskFile(queue)}`, mask);
      return read(queue) ?? "";
    },
    readValues: () => {
      const queues = listQueues(sysfs, netdev).filter((queue) => queue.startsWith("rx-"));
      const paths = [...queues.map((queue) => `queues/${queue}/rps_flow_cnt`), "threaded"];
      return paths.flatMap((path) => {
        const text = sysfs.readText(`${device}/${path}`)?.trim();
        return text === undefined ? [] : [{ path, text }];
      });
    },
    writeValue: (path, text) => {
      sysfs.writeText(`${device}/${path}`, text);
      return sysfs.readText(`${device}/${path}`)?.trim() ?? "";
    },
    [Symbol.dispose]: () => sysfs[Symbol.dispose](),
  };
}

/** The file of a queue's mask. Source: Documentation/ABI/testing/sysfs-class-net-queues. */
export function maskFile(queue: string): "rps_cpus" | "xps_cpus" {
  return queue.startsWith("tx-") ? "xps_cpus" : "rps_cpus";
}

// Network device folders show only what is in the namespace this sysfs belongs to; a virtio NIC has its own below virtioN.
function findNetdev(sysfs: NetnsSysfs, address: string): string | undefined {
  const device = `bus/pci/devices/${address}`;
  const parents = (sysfs.list(device) ?? []).filter((name) => /^virtio\d+$/.test(name));
  return [device, ...parents.map((name) => `${device}/${name}`)]
    .flatMap((parent) => sysfs.list(`${parent}/net`) ?? [])
    .at(0);
}
