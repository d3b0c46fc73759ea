// A file that is kept open, to be looked at again and again with one system call each time.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { absentAs, attempt } from "./file-errors.ts";
import { openReadable } from "./read-text.ts";

/** Dispose of it: until then it takes a descriptor. */
export interface OpenFile extends Disposable {
  /**
   * Text of its first 4 KiB as it is now, untrimmed. Throws SystemCallError; EIO of an entry of procfs that went: one that came in
   * its place is another file. Source: kernel fs/proc/inode.c, proc_reg_read.
   */
  readText(): string;
}

/** One for all, made for the first who reads: nothing runs between filling it and taking the text out. */
let buffer: Buffer | undefined;

/** Opens what `readText` of host/read-text.ts reads; `undefined` when the file or a folder on the way is missing. */
export function openFile(path: string): OpenFile | undefined {
  const fd = absentAs(undefined, "open", path, () => openReadable(path));
  if (fd === undefined) return undefined;
  let isOpen = true;
  return {
    readText: () => {
      // A closed number may be another file by now.
      if (!isOpen) throw new SystemCallError("read", path, "EBADF");
      const bytes = (buffer ??= Buffer.alloc(4096));
      return attempt("read", path, () =>
        bytes.toString("utf8", 0, fs.readSync(fd, bytes, 0, bytes.length, 0)),
      );
    },
    [Symbol.dispose]: () => {
      if (isOpen) fs.closeSync(fd);
      isOpen = false;
    },
  };
}
