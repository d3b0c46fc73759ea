// What went through the links of another network namespace, by its /proc/net/dev: to ask netlink for one link is to wait for the
// lock that all changes of networks share.

import * as fs from "node:fs";

import { attempt } from "./file-errors.ts";
import type { Libc } from "./libc.ts";
import type { TrafficCounters } from "./netlink/netlink.ts";
import { enterNetns } from "./netns-enter.ts";

/** By the name of the link. Only the opening happens in there. Throws SystemCallError of setns, open, read. */
export function readNetnsCounters(
  libc: Libc,
  netns: { readonly label: string; readonly fd: number },
): ReadonlyMap<string, TrafficCounters> {
  const path = "/proc/thread-self/net/dev";
  const fd = enterNetns(libc, netns, () => attempt("open", path, () => fs.openSync(path, "r")));
  try {
    return parseNetDev(attempt("read", `${path} in ${netns.label}`, () => fs.readFileSync(fd, "utf8")));
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * "name: " and sixteen numbers in each line: bytes, packets, errors, drops and four more of what was received, then the same of
 * what was sent; other lines are passed over. Source: kernel net/core/net-procfs.c, dev_seq_printf_stats.
 */
export function parseNetDev(text: string): ReadonlyMap<string, TrafficCounters> {
  const lines = text.split("\n").flatMap((line): readonly (readonly [string, TrafficCounters])[] => {
    const [, name = "", numbers = ""] = /^\s*(\S+):((?:\s+\d+){16})\s*$/.exec(line) ?? [];
    if (name === "") return [];
    const [rxBytes = 0, rxPackets = 0, , rxDropped = 0, , , , , txBytes = 0, txPackets = 0, , txDropped = 0] =
      numbers.trim().split(/\s+/).map(Number);
    return [[name, { rxBytes, txBytes, rxPackets, txPackets, rxDropped, txDropped }]];
  });
  return new Map(lines);
}
