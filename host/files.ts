// Files as the programs need them: small, synchronous, absent files as `undefined`, state files written atomically.

/** What `stat` tells; `inode` and `device` together identify a file, `sizeBytes` is 0 for sysfs. */
export interface FileStat {
  readonly kind: "file" | "directory" | "socket" | "symlink" | "other";
  readonly inode: bigint;
  readonly device: bigint;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly changedMs: number;
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
  /** Whole text, untrimmed; `undefined` when the file or a folder on the way is missing (ENOENT, ENOTDIR). */
  readText(path: string): string | undefined;
  /** One write() to an existing file (sysfs, procfs). */
  writeText(path: string, text: string): void;
  /** Temp file in the same folder (made with `mkdir -p`, 0700) and rename; no fsync. Default mode 0600. */
  writeAtomic(path: string, text: string, mode?: number): void;
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
  rename(from: string, to: string): void;
  makeFolder(path: string, mode?: number): void;
  /** Copies a file of any size by way of a temp file in the target's folder and rename: readers see the old file or the whole new one. */
  copyFile(from: string, to: string, mode: number): void;
  /** Whether both files exist and hold the same bytes. */
  isSameContent(left: string, right: string): boolean;
  /** At most `length` bytes from `offset`, fewer at the end of the file; `undefined` when the file is missing. */
  readBytes(path: string, offset: number, length: number): Uint8Array | undefined;
  /** Calls `onChange` for each change below the folder until the returned value is disposed (inotify). The folder must exist. */
  watch(path: string, onChange: (change: FileChange) => void): Disposable;
}
