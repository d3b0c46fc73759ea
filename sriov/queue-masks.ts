// Steering masks of a netdev's queues: they survive a move between namespaces, so they are put to zero for a pod and put back after it.

import type { Host } from "../host/host.ts";
import type { NetnsSysfs } from "../host/netns.ts";
import type { QueueMasks } from "./attachment.ts";
import { countMaskGroups, formatCpuMask, parseCpuMask } from "./cpu-mask.ts";
import { readAttribute } from "./sysfs.ts";

/** The sysfs of the namespace that the netdev is in, paths relative to /sys. */
export type QueueSysfs = Pick<NetnsSysfs, "readText" | "writeText" | "list">;

const files = {
  rpsCpus: "rps_cpus",
  rpsFlowCnt: "rps_flow_cnt",
  xpsCpus: "xps_cpus",
  xpsRxqs: "xps_rxqs",
} as const;
type MaskKey = keyof typeof files;

/** The process's own sysfs. */
export function ownSysfs(host: Pick<Host, "files" | "paths">): QueueSysfs {
  const at = (path: string): string => `${host.paths.sys}/${path}`;
  return {
    readText: (path) => host.files.readText(at(path)),
    writeText: (path, text) => host.files.writeText(at(path), text),
    list: (path) => host.files.list(at(path)),
  };
}

/** Masks of all queues of `netdev`, as the kernel prints them. Source: Documentation/networking/scaling.rst. */
export function readQueueMasks(sysfs: QueueSysfs, netdev: string): readonly QueueMasks[] {
  return listQueues(sysfs, netdev).map((queue) => readMasks(sysfs, netdev, queue));
}

/** Names of the queues of `netdev`, in order: "rx-0", "tx-0". */
export function listQueues(sysfs: QueueSysfs, netdev: string): readonly string[] {
  return (sysfs.list(queuesOf(netdev)) ?? []).toSorted(compareQueues);
}

/** Puts every mask that is not zero to zero. */
export function resetQueueMasks(sysfs: QueueSysfs, netdev: string, masks: readonly QueueMasks[]): void {
  for (const { queue, ...values } of masks)
    for (const [key, value] of valuesOf(values)) {
      if (isZero(value)) continue;
      const zero = key === "rpsFlowCnt" ? "0" : formatCpuMask([], countMaskGroups(value));
      sysfs.writeText(`${queuesOf(netdev)}/${queue}/${files[key]}`, zero);
    }
}

/** Puts back what differs from `masks`. A queue that is not there any more is passed over. */
export function restoreQueueMasks(sysfs: QueueSysfs, netdev: string, masks: readonly QueueMasks[]): void {
  const present = new Map(readQueueMasks(sysfs, netdev).map((now) => [now.queue, now]));
  for (const { queue, ...values } of masks)
    for (const [key, value] of valuesOf(values)) {
      const now = present.get(queue)?.[key];
      if (now !== undefined && !isSame(key, now, value))
        sysfs.writeText(`${queuesOf(netdev)}/${queue}/${files[key]}`, value);
    }
}

function readMasks(sysfs: QueueSysfs, netdev: string, queue: string): QueueMasks {
  const isReceive = queue.startsWith("rx-");
  const read = (key: MaskKey): string | undefined =>
    readAttribute(sysfs, `${queuesOf(netdev)}/${queue}/${files[key]}`);
  return isReceive
    ? { queue, rpsCpus: read("rpsCpus"), rpsFlowCnt: read("rpsFlowCnt") }
    : { queue, xpsCpus: read("xpsCpus"), xpsRxqs: read("xpsRxqs") };
}

function valuesOf(masks: Omit<QueueMasks, "queue">): readonly (readonly [MaskKey, string])[] {
  const keys: readonly MaskKey[] = ["rpsCpus", "rpsFlowCnt", "xpsCpus", "xpsRxqs"];
  return keys.flatMap((key) => {
    const value = masks[key];
    return value === undefined ? [] : [[key, value] as const];
  });
}

function isZero(value: string): boolean {
  return /^[0,]*$/.test(value);
}

function isSame(key: MaskKey, a: string, b: string): boolean {
  if (a === b) return true;
  if (key === "rpsFlowCnt") return Number(a) === Number(b);
  return parseCpuMask(a).join() === parseCpuMask(b).join();
}

function queuesOf(netdev: string): string {
  return `class/net/${netdev}/queues`;
}

// Not by localeCompare, whose first use loads tables for 0.4 ms of each ADD and DEL.
function compareQueues(a: string, b: string): number {
  const [left, right] = [a.slice(0, 3), b.slice(0, 3)];
  if (left !== right) return left < right ? -1 : 1;
  return Number(a.slice(3)) - Number(b.slice(3));
}
