// What the caller wrote to this process.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { mostBytes } from "./read-text.ts";

const chunkBytes = 64 * 1024;

/**
 * The whole of stdin as text. Read on this thread: a pool of threads, which Bun starts for it otherwise, costs a short process
 * 1 ms of CPU time. A pipe that does not block (EAGAIN) is left to Bun. Throws ERR_SYSTEM_CALL where nothing can be read, as of
 * a folder, and for more than 64 MiB (EFBIG). What was read of it before is `start`.
 */
export async function readStdin(start?: Uint8Array): Promise<string> {
  const text = new StdinText();
  if (start !== undefined) text.add(start);
  try {
    const chunk = new Uint8Array(chunkBytes);
    for (;;) {
      const length = fs.readSync(0, chunk);
      if (length === 0) return text.end();
      text.add(chunk.subarray(0, length));
    }
  } catch (error) {
    if (error instanceof SystemCallError) throw error;
    const errno = (error as NodeJS.ErrnoException).code ?? String(error);
    if (errno !== "EAGAIN") throw new SystemCallError("read", "stdin", errno, { cause: error });
  }
  for await (const chunk of Bun.stdin.stream()) text.add(chunk);
  return text.end();
}

/** Text from its bytes, piece by piece, as long as they are not too many. */
class StdinText {
  readonly #decoder = new TextDecoder();
  readonly #parts: string[] = [];
  #bytes = 0;

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > mostBytes)
      throw new SystemCallError("read", `stdin, of more than ${mostBytes} bytes`, "EFBIG");
    this.#parts.push(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): string {
    return this.#parts.join("") + this.#decoder.decode();
  }
}
