// Reads stdin by libc alone, for calls that do nothing else: node:fs would cost them 0.7 ms more.

import { dlopen } from "bun:ffi";

/** What came of stdin by then. */
export interface StdinStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether that is all of it. Otherwise the rest is for host/stdin.ts: there is more, or it can't be read so. */
  readonly isWhole: boolean;
}

const mostBytes = 64 * 1024;

/** At most 64 KiB of it; nothing where libc can't be called. */
export function readStdinStart(): StdinStart {
  const chunk = new Uint8Array(mostBytes);
  const read = loadRead();
  let bytes = 0;
  for (;;) {
    const length = read?.(0, chunk.subarray(bytes), mostBytes - bytes) ?? -1;
    if (length > 0) bytes += length;
    if (length <= 0 || bytes === mostBytes) return { bytes: chunk.slice(0, bytes), isWhole: length === 0 };
  }
}

function loadRead() {
  try {
    return dlopen("libc.so.6", { read: { args: ["i32", "ptr", "u64"], returns: "i32" } }).symbols.read;
  } catch {
    return undefined;
  }
}
