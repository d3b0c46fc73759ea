// Runs a piece of synchronous work inside another network namespace, and comes back whatever happens.

import * as fs from "node:fs";

import { attempt } from "./file-errors.ts";
import type { Libc } from "./libc.ts";

/**
 * What `work` gives, run with this thread in `netns`. `work` must not be asynchronous: no other code ever runs in there.
 * Throws SystemCallError of setns, on the way in; when the way back fails the process ends, because everything it did from
 * then on would be done in the wrong namespace.
 */
export function enterNetns<T>(
  libc: Libc,
  netns: { readonly label: string; readonly fd: number },
  work: () => T,
): T {
  const home = openOwnNetns();
  try {
    libc.setNetns(netns.fd);
    try {
      return work();
    } finally {
      goHome(libc, home, netns.label);
    }
  } finally {
    fs.closeSync(home);
  }
}

/** A descriptor of the calling thread's namespace: other threads may be elsewhere. */
export function openOwnNetns(): number {
  const path = "/proc/thread-self/ns/net";
  return attempt("open", path, () => fs.openSync(path, "r"));
}

function goHome(libc: Libc, home: number, label: string): void {
  try {
    libc.setNetns(home);
  } catch (error) {
    fs.writeSync(2, `virtfn: cannot leave the network namespace ${label}: ${String(error)}\n`);
    process.exit(1);
  }
}
