// Reads a file whole, as text; what is no file for that is refused, not waited for.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { absentAs } from "./file-errors.ts";

/** Far beyond any state file or configuration, and /proc/interrupts of the largest machine. */
export const mostBytes = 64 << 20;

/**
 * Whole text, untrimmed; `undefined` when the file or a folder on the way is missing (ENOENT, ENOTDIR). Throws SystemCallError,
 * also for a pipe, whose writer one would wait for without end, for a device (EINVAL), and for more than 64 MiB (EFBIG).
 */
export function readText(path: string): string | undefined {
  return absentAs(undefined, "read", path, () => {
    const fd = openReadable(path);
    try {
      return fs.readFileSync(fd, "utf8");
    } finally {
      fs.closeSync(fd);
    }
  });
}

/** Opens it to be read; throws what node:fs does, and SystemCallError as `readText` does. */
export function openReadable(path: string): number {
  const { O_RDONLY, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NONBLOCK);
  try {
    checkReadable(path, fs.fstatSync(fd));
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

// Of a folder the read itself says so. A file of procfs or sysfs has a size that means nothing, and a small one.
function checkReadable(path: string, stat: fs.Stats): void {
  if (!stat.isFile() && !stat.isDirectory())
    throw new SystemCallError("read", `${path}, which is no regular file`, "EINVAL");
  if (stat.isFile() && stat.size > mostBytes)
    throw new SystemCallError("read", `${path}, of ${stat.size} bytes, at most ${mostBytes}`, "EFBIG");
}
