// What the caller wrote to this process.

import * as fs from "node:fs";

const chunkBytes = 64 * 1024;

/**
 * The whole of stdin as text. Read on this thread: a pool of threads, which Bun starts for it otherwise, costs a short process
 * 1 ms of CPU time. What cannot be read so (a pipe that does not block, EAGAIN) is left to Bun.
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
  } catch {
    chunks.push(new Uint8Array(await Bun.stdin.arrayBuffer()));
  }
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
