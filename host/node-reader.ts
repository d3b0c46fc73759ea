// Reads stdin and small files by libc alone, for calls that do nothing else: node:fs would cost them 0.7 ms more.

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

/** What came of stdin by then. */
export interface StdinStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether that is all of it. Otherwise the rest is for host/stdin.ts: there is more, or it can't be read so. */
  readonly isWhole: boolean;
}

/** A `NodeReader` of this process. */
export interface ProcessReader extends NodeReader {
  readStdin(): StdinStart;
}

const stdinCalls = { read: { args: ["i32", "ptr", "u64"], returns: "i32" } } as const;
const fileCalls = {
  open: { args: ["ptr", "i32"], returns: "i32" },
  pread: { args: ["i32", "ptr", "u64", "i64"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "ptr", "u64"], returns: "i32" },
  statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
} as const;

const chunkBytes = 64 * 1024;
/** More than any checkpoint of a kubelet: who reads more has time. */
const mostBytes = 16 << 20;
const O_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
// glibc has a wrapper since 2.30 only.
const SYS_getdents64 = process.arch === "arm64" ? 61 : 217;
const AT_FDCWD = -100;
const STATX_TYPE = 1;
/** sizeof(struct statx), and where stx_mode is in it. */
const statxBytes = 256;
const modeOffset = 28;

/** Of this machine, or for tests of one whose files lie below another root; `undefined` where libc can't be called. */
export function openNodeReader(root = "/"): ProcessReader | undefined {
  try {
    return createReader(root);
  } catch {
    return undefined;
  }
}

function createReader(root: string): ProcessReader {
  const { read } = dlopen("libc.so.6", stdinCalls).symbols;
  // VERSION reads no file.
  let loaded: ReturnType<typeof loadFileCalls>;
  const libc = (): ReturnType<typeof loadFileCalls> => (loaded ??= loadFileCalls());
  const paths = createReaderPaths(root);
  const chunk = new Uint8Array(chunkBytes);

  // By position: of what is no file, like a pipe, there is none.
  function readText(path: string): string | undefined {
    const calls = libc();
    const fd = calls?.open(toCString(path), O_NONBLOCK_CLOEXEC) ?? -1;
    if (calls === undefined || fd < 0) return undefined;
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    for (let at = 0; ;) {
      const length = calls.pread(fd, chunk, chunkBytes, at);
      if (length > 0) text += decoder.decode(chunk.subarray(0, length), { stream: true });
      at += length;
      if (length > 0 && at <= mostBytes) continue;
      calls.close(fd);
      return length === 0 ? text + decoder.decode() : undefined;
    }
  }

  function list(path: string): readonly string[] | undefined {
    const calls = libc();
    const fd = calls?.open(toCString(path), O_NONBLOCK_CLOEXEC) ?? -1;
    if (calls === undefined || fd < 0) return undefined;
    const names: string[] = [];
    for (;;) {
      const length = calls.syscall(SYS_getdents64, fd, chunk, chunkBytes);
      if (length > 0) addNames(names, chunk.subarray(0, length));
      if (length > 0) continue;
      calls.close(fd);
      return length === 0 ? names.toSorted() : undefined;
    }
  }

  return {
    paths,
    files: {
      readText,
      stat: (path) => {
        const stat = new Uint16Array(statxBytes / 2);
        const result = libc()?.statx(AT_FDCWD, toCString(path), 0, STATX_TYPE, stat) ?? -1;
        return result < 0 ? undefined : { kind: kindOf(stat[modeOffset / 2] ?? 0) };
      },
      list,
    },
    clock: {
      bootId: () => {
        const text = readText(`${paths.proc}/sys/kernel/random/boot_id`);
        if (text === undefined) throw new Error("the boot id can't be read");
        return text.trim();
      },
    },
    readStdin: () => {
      let bytes = 0;
      for (;;) {
        const length = read(0, chunk.subarray(bytes), chunkBytes - bytes);
        if (length > 0) bytes += length;
        if (length <= 0 || bytes === chunkBytes)
          return { bytes: chunk.slice(0, bytes), isWhole: length === 0 };
      }
    },
  };
}

// An old libc has no statx.
function loadFileCalls() {
  try {
    return dlopen("libc.so.6", fileCalls).symbols;
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
