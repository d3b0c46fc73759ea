// What the caller wrote to this process.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";

const chunkBytes = 64 * 1024;

/**
 * The whole of stdin as text. Read on this thread: a pool of threads, which Bun starts for it otherwise, costs a short process
 * 1 ms of CPU time. A pipe that does not block (EAGAIN) is left to Bun. Throws ERR_SYSTEM_CALL where nothing can be read, as of a folder.
 */
export async function readStdin(): Promise<string> {
  const chunks: Uint8Array[] = [];
  try {
    for (;;) {
      const chunk = new Uint8Array(chunkBytes);
      const length = fs.readSync(0, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
    }
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? String(error);
    if (errno !== "EAGAIN") throw new SystemCallError("read", "stdin", errno, { cause: error });
    chunks.push(new Uint8Array(await Bun.stdin.arrayBuffer()));
  }
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
