// sysfs of another network namespace, without a mount point and without leaving our own for more than the mount itself.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { createFiles } from "./files.ts";
import type { Libc } from "./libc.ts";
import { enterNetns } from "./netns-enter.ts";
import type { NetnsHandle, NetnsSysfs } from "./netns.ts";

/**
 * Opens it; throws SystemCallError of fsopen, fsconfig or fsmount (ENOSYS before Linux 5.2, EPERM without CAP_SYS_ADMIN).
 * sysfs shows the namespace that made it, so a descriptor of a detached mount made in there is enough.
 */
export function openNetnsSysfs(libc: Libc, netns: NetnsHandle): NetnsSysfs {
  const fd = enterNetns(libc, netns, () => libc.mountDetached("sysfs"));
  const files = createFiles();
  let isOpen = true;
  function at(path: string): string {
    // A closed number may be another file by now.
    if (!isOpen) throw new SystemCallError("open", `sysfs of ${netns.label}, ${path}`, "EBADF");
    return `/proc/thread-self/fd/${fd}/${path}`;
  }
  return {
    readText: (path) => files.readText(at(path)),
    writeText: (path, text) => files.writeText(at(path), text),
    list: (path) => files.list(at(path)),
    [Symbol.dispose]: () => {
      if (isOpen) fs.closeSync(fd);
      isOpen = false;
    },
  };
}
