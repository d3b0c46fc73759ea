// How a netdev's queues are polled: a pod may set it, and the netdev keeps it on its way home.

import { findKept, type KeptSetting, listDiffering } from "./kept-settings.ts";
import type { QueueSysfs } from "./queue-masks.ts";
import { readAttribute, writeAttribute } from "./sysfs.ts";

/** Source: Documentation/ABI/testing/sysfs-class-net. */
const names = ["threaded", "gro_flush_timeout", "napi_defer_hard_irqs"] as const;

/** By the name of its file, of those that this kernel has, trimmed. */
export type NapiValues = Readonly<Record<string, string>>;

/** What a netdev starts with, unless its driver says otherwise, which none of a VF does. */
export const defaultNapiValues: NapiValues = {
  threaded: "0",
  gro_flush_timeout: "0",
  napi_defer_hard_irqs: "0",
};

/** As they are now; `netdev` is in the namespace of `sysfs`. */
export function readNapiValues(sysfs: QueueSysfs, netdev: string): NapiValues {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = readAttribute(sysfs, `class/net/${netdev}/${name}`);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Puts back what differs from `original`; a netdev may refuse it while it is down, and keeps it then: that is given. Throws ERR_SYSTEM_CALL. */
export function restoreNapiValues(
  sysfs: QueueSysfs,
  netdev: string,
  original: NapiValues,
): readonly KeptSetting[] {
  const now = readNapiValues(sysfs, netdev);
  const differing = listDiffering(original, now);
  for (const name of differing) writeAttribute(sysfs, `class/net/${netdev}/${name}`, original[name] ?? "");
  return differing.length === 0 ? [] : findKept(original, readNapiValues(sysfs, netdev));
}
