// Reads small files by libc alone, for calls that do nothing else: node:fs would cost them 0.7 ms more.

import { dlopen } from "bun:ffi";

import type { FileStat } from "./files.ts";
import type { Host } from "./host.ts";
import { createReaderPaths, type ReaderPaths } from "./reader-paths.ts";

/** What such a call needs of the node; a `Host` is one, too. */
export interface NodeReader {
  readonly paths: ReaderPaths;
  readonly files: {
    /** Text of a regular file; `undefined` when it is not there. That of this file tells so of all that it can't read, too. */
    readText(path: string): string | undefined;
    /** Follows symbolic links; as with `readText`. */
    stat(path: string): Pick<FileStat, "kind"> | undefined;
    /** Names in a folder, sorted; as with `readText`. That of this file has a character for each byte of a name. */
    list(path: string): readonly string[] | undefined;
  };
  readonly clock: Pick<Host["clock"], "bootId">;
}

const signatures = {
  open: { args: ["ptr", "i32"], returns: "i32" },
  pread: { args: ["i32", "ptr", "u64", "i64"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "ptr", "u64", "u64", "ptr"], returns: "i32" },
} as const;

const chunkBytes = 64 * 1024;
/** More than any checkpoint of a kubelet: who reads more has time. */
const mostBytes = 16 << 20;
const O_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
// glibc has wrappers since 2.30 and 2.28 only, and nodes have it since 2.17.
const SYS_getdents64 = process.arch === "arm64" ? 61 : 217;
const SYS_statx = process.arch === "arm64" ? 291 : 332;
const AT_FDCWD = -100;
const STATX_TYPE = 1;
/** sizeof(struct statx), and where stx_mode is in it. */
const statxBytes = 256;
const modeOffset = 28;

/** Of this machine, or for tests of one whose files lie below another root. */
export function createNodeReader(root = "/"): NodeReader {
  const paths = createReaderPaths(root);
  const files = createFiles();
  function bootId(): string {
    const text = files.readText(`${paths.proc}/sys/kernel/random/boot_id`);
    if (text === undefined) throw new Error("the boot id can't be read");
    return text.trim();
  }
  return { paths, files, clock: { bootId } };
}

function createFiles(): NodeReader["files"] {
  // VERSION reads no file.
  let loaded: Calls | undefined;
  const chunk = new Uint8Array(chunkBytes);
  function withOpen<T>(path: string, work: (calls: Calls, fd: number) => T | undefined): T | undefined {
    const calls = (loaded ??= loadCalls());
    const fd = calls?.open(toCString(path), O_NONBLOCK_CLOEXEC) ?? -1;
    if (calls === undefined || fd < 0) return undefined;
    try {
      return work(calls, fd);
    } finally {
      calls.close(fd);
    }
  }
  return {
    readText: (path) => withOpen(path, ({ pread }, fd) => readAll(fd, chunk, pread)),
    list: (path) => withOpen(path, ({ syscall }, fd) => listAll(fd, chunk, syscall)),
    stat: (path) => {
      const calls = (loaded ??= loadCalls());
      const stat = new Uint16Array(statxBytes / 2);
      const result = calls?.syscall(SYS_statx, AT_FDCWD, toCString(path), 0, STATX_TYPE, stat) ?? -1;
      return result < 0 ? undefined : { kind: kindOf(stat[modeOffset / 2] ?? 0) };
    },
  };
}

// By position: of what is no file, like a pipe, there is none.
function readAll(fd: number, chunk: Uint8Array, pread: Calls["pread"]): string | undefined {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  for (let at = 0; at <= mostBytes;) {
    const length = pread(fd, chunk, chunkBytes, at);
    if (length < 0) return undefined;
    if (length === 0) return text + decoder.decode();
    text += decoder.decode(chunk.subarray(0, length), { stream: true });
    at += length;
  }
  return undefined;
}

function listAll(fd: number, chunk: Uint8Array, syscall: Calls["syscall"]): readonly string[] | undefined {
  const names: string[] = [];
  for (;;) {
    const length = syscall(SYS_getdents64, fd, chunk, chunkBytes, 0, null);
    if (length < 0) return undefined;
    if (length === 0) return names.toSorted();
    addNames(names, chunk.subarray(0, length));
  }
}

type Calls = NonNullable<ReturnType<typeof loadCalls>>;

function loadCalls() {
  try {
    return dlopen("libc.so.6", signatures).symbols;
  } catch {
    return undefined;
  }
}

// Source: getdents(2), struct linux_dirent64.
function addNames(names: string[], entries: Uint8Array): void {
  for (let at = 0; at < entries.length;) {
    let name = "";
    for (let byte = at + 19; entries[byte] !== 0; byte += 1) name += String.fromCharCode(entries[byte] ?? 0);
    if (name !== "." && name !== "..") names.push(name);
    at += (entries[at + 16] ?? 0) + ((entries[at + 17] ?? 0) << 8);
  }
}

// A character a byte: of ASCII, or as `list` gives it. The first use of TextEncoder would cost 0.03 ms.
function toCString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 1);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

// Source: stat(2), S_IFMT.
function kindOf(mode: number): FileStat["kind"] {
  switch (mode & 0o170000) {
    case 0o100000:
      return "file";
    case 0o040000:
      return "directory";
    case 0o140000:
      return "socket";
    default:
      return "other";
  }
}
