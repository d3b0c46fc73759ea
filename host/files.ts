// Files as the programs need them: small, synchronous, absent files as `undefined`, state files written atomically.

import * as fs from "node:fs";

import { appendLog } from "./append-log.ts";
import { SystemCallError } from "./errors.ts";
import { findDisplaced, recoverDisplaced, replaceUnchanged, type UnchangedFile } from "./exchange-file.ts";
import { absentAs, attempt } from "./file-errors.ts";
import { createLibc, type Libc } from "./libc.ts";
import { openFile, type OpenFile } from "./open-file.ts";
import { readText } from "./read-text.ts";
import { replaceFile } from "./replace-file.ts";
import { watchFolder } from "./watch-folder.ts";

/**
 * What `stat` tells; `inode` and `device` together identify a file, `sizeBytes` means nothing for sysfs, `changedMs` is
 * when the content last changed (mtime).
 */
export interface FileStat {
  readonly kind: "file" | "directory" | "socket" | "symlink" | "other";
  readonly inode: bigint;
  readonly device: bigint;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly changedMs: number;
  /** Nothing leads to it any more: a folder that was removed, and is seen where it is mounted. */
  readonly isRemoved: boolean;
}

/** One change below a watched folder: the name of the entry that came, went or was renamed. */
export interface FileChange {
  readonly name: string;
}

/**
 * Synchronous file access (sysfs, procfs and small state files). Paths are absolute.
 * Anything but "not there" throws SystemCallError naming call, path and errno.
 */
export interface Files {
  /** Whole text of a regular file of at most 64 MiB, untrimmed; `undefined` when the file or a folder on the way is missing (host/read-text.ts). */
  readText(path: string): string | undefined;
  /** Keeps it open, to be looked at often (host/open-file.ts); `undefined` when missing. */
  open(path: string): OpenFile | undefined;
  /** One write() to an existing file (sysfs, procfs). */
  writeText(path: string, text: string): void;
  /** Temp file in the same folder (made with `mkdir -p`, 0700) and rename; no fsync. Default mode 0600. */
  writeAtomic(path: string, text: string, mode?: number): void;
  /** As `writeAtomic`, and on the disk when it returns (fsync): a power cut leaves the old file or the new one. */
  writeDurable(path: string, text: string, mode: number): void;
  /** As `writeDurable`, of a file that other programs write, too: false, and it stays, when it holds something else than `before` (host/exchange-file.ts). */
  replaceUnchanged(path: string, change: UnchangedFile): boolean;
  /** Puts back what a killed `replaceUnchanged` had displaced; false when there is no such thing (host/exchange-file.ts). */
  recoverDisplaced(path: string): boolean;
  /** The files that `recoverDisplaced` would put back. */
  findDisplaced(path: string): readonly string[];
  /** Appends to a log file `path` below /var/log, which is `folder`; only to a file of our own (host/append-log.ts). */
  appendLog(folder: string, path: string, text: string): void;
  /** Entry names, sorted; `undefined` when the folder is missing. */
  list(path: string): readonly string[] | undefined;
  /** Follows symbolic links unless `noFollow`; `undefined` when missing. */
  stat(path: string, options?: { readonly noFollow?: boolean }): FileStat | undefined;
  /** Text of a symbolic link; `undefined` when missing or not a link. */
  readLink(path: string): string | undefined;
  /** Canonical path; `undefined` when missing. */
  realPath(path: string): string | undefined;
  /** Removes a file; false when it was not there. */
  remove(path: string): boolean;
  /** Removes an empty folder; false when it was not there. */
  removeFolder(path: string): boolean;
  rename(from: string, to: string): void;
  makeFolder(path: string, mode?: number): void;
  /** Copies a file of any size by way of a temp file in the target's folder and rename: readers see the old file or the whole new one, also after a power cut (fsync). */
  copyFile(from: string, to: string, mode: number): void;
  /** Whether both files exist and hold the same bytes. */
  isSameContent(left: string, right: string): boolean;
  /** At most `length` bytes from `offset`, fewer at the end of the file; `undefined` when the file is missing. */
  readBytes(path: string, offset: number, length: number): Uint8Array | undefined;
  /** Calls `onChange` for each change below the folder, at least once, until the returned value is disposed (inotify). The folder must exist. */
  watch(path: string, onChange: (change: FileChange) => void): Disposable;
}

/** The real file system. */
export function createFiles(libc: Pick<Libc, "exchange"> = createLibc()): Files {
  return {
    readText,
    open: openFile,
    readBytes,
    writeText,
    writeAtomic: (path, text, mode = 0o600) =>
      replaceFile(path, (temporary) => writeNew(temporary, text, mode)),
    writeDurable: (path, text, mode) =>
      replaceFile(path, (temporary) => writeNew(temporary, text, mode), { isDurable: true }),
    replaceUnchanged: (path, change) => replaceUnchanged(path, change, libc.exchange),
    recoverDisplaced,
    findDisplaced,
    copyFile: (from, to, mode) =>
      replaceFile(
        to,
        (temporary) => {
          fs.copyFileSync(from, temporary, fs.constants.COPYFILE_EXCL);
          fs.chmodSync(temporary, mode);
        },
        { isDurable: true },
      ),
    isSameContent,
    appendLog,
    list: (path) => absentAs(undefined, "readdir", path, () => fs.readdirSync(path).toSorted()),
    stat: (path, options) =>
      absentAs(undefined, "stat", path, () => readStat(path, options?.noFollow === true)),
    readLink: (path) =>
      absentAs(undefined, "readlink", path, () => fs.readlinkSync(path), ["ENOENT", "ENOTDIR", "EINVAL"]),
    realPath: (path) => absentAs(undefined, "realpath", path, () => fs.realpathSync.native(path)),
    remove: (path) => absentAs(false, "unlink", path, () => unlink(path)),
    removeFolder: (path) => absentAs(false, "rmdir", path, () => (fs.rmdirSync(path), true)),
    rename: (from, to) => attempt("rename", `${from}, ${to}`, () => fs.renameSync(from, to)),
    makeFolder: (path, mode = 0o700) =>
      attempt("mkdir", path, () => void fs.mkdirSync(path, { recursive: true, mode })),
    watch: watchFolder,
  };
}

function writeText(path: string, text: string): void {
  attempt("write", `${path}, ${JSON.stringify(text)}`, () => {
    const fd = fs.openSync(path, fs.constants.O_WRONLY);
    try {
      const bytes = new TextEncoder().encode(text);
      const written = fs.writeSync(fd, bytes);
      if (written !== bytes.length) {
        throw new SystemCallError("write", `${path}, ${bytes.length} bytes`, `only ${written} were taken`);
      }
    } finally {
      fs.closeSync(fd);
    }
  });
}

function writeNew(path: string, text: string, mode: number): void {
  fs.writeFileSync(path, text, { flag: "wx", mode });
  fs.chmodSync(path, mode);
}

// A read-only file system refuses a file that is not there, too.
function unlink(path: string): boolean {
  try {
    fs.unlinkSync(path);
    return true;
  } catch (error) {
    if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
    throw error;
  }
}

function readBytes(path: string, offset: number, length: number): Uint8Array | undefined {
  return absentAs(undefined, "read", path, () => {
    const fd = fs.openSync(path, "r");
    try {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, fs.readSync(fd, bytes, 0, length, offset));
    } finally {
      fs.closeSync(fd);
    }
  });
}

function isSameContent(left: string, right: string): boolean {
  const size = absentAs(undefined, "stat", left, () => fs.statSync(left).size);
  if (size === undefined || absentAs(undefined, "stat", right, () => fs.statSync(right).size) !== size)
    return false;
  const chunkBytes = 1 << 20;
  for (let offset = 0; offset < size; offset += chunkBytes) {
    const [a, b] = [readBytes(left, offset, chunkBytes), readBytes(right, offset, chunkBytes)];
    if (a === undefined || b === undefined || Buffer.compare(a, b) !== 0) return false;
  }
  return true;
}

function readStat(path: string, noFollow: boolean): FileStat {
  const stat = noFollow ? fs.lstatSync(path, { bigint: true }) : fs.statSync(path, { bigint: true });
  return {
    kind: kindOf(stat),
    inode: stat.ino,
    device: stat.dev,
    sizeBytes: Number(stat.size),
    mode: Number(stat.mode) & 0o7777,
    changedMs: Number(stat.mtimeMs),
    isRemoved: stat.nlink === 0n,
  };
}

function kindOf(stat: fs.BigIntStats): FileStat["kind"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSocket()) return "socket";
  return stat.isSymbolicLink() ? "symlink" : "other";
}
