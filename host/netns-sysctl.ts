// Network sysctls of another network namespace: each file belongs to the namespace in which it was opened.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { absentAs, attempt } from "./file-errors.ts";
import type { Libc } from "./libc.ts";
import { enterNetns } from "./netns-enter.ts";

/**
 * Writes each value of `values`, whose keys are paths below /proc/sys/net ("ipv4/conf/net1/arp_notify"). What this kernel
 * does not have (IPv6 is off) is passed over. Only the opening happens in there. Throws SystemCallError of setns, open, write.
 */
export function writeNetnsSysctls(
  libc: Libc,
  netns: { readonly label: string; readonly fd: number },
  values: Readonly<Record<string, string>>,
): void {
  const opened: { readonly path: string; readonly fd: number; readonly value: string }[] = [];
  try {
    enterNetns(libc, netns, () => {
      for (const [name, value] of Object.entries(values)) {
        const path = `/proc/sys/net/${name}`;
        const fd = absentAs(undefined, "open", path, () => fs.openSync(path, fs.constants.O_WRONLY));
        if (fd !== undefined) opened.push({ path, fd, value });
      }
    });
    for (const { path, fd, value } of opened)
      attempt("write", `${path} in ${netns.label}, "${value}"`, () => writeWhole(path, fd, value));
  } finally {
    for (const { fd } of opened) fs.closeSync(fd);
  }
}

function writeWhole(path: string, fd: number, value: string): void {
  const written = fs.writeSync(fd, value);
  if (written !== value.length) throw new SystemCallError("write", path, `only ${written} bytes were taken`);
}
