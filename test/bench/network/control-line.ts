// A TCP connection as lines in both directions, with a limit to what the other side may send.

import { once } from "node:events";
import type { Socket } from "node:net";

import { maxLineBytes } from "./message.ts";

/** Lines as they come, one reader at a time. */
export class ControlLine implements Disposable {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  readonly #gone = new AbortController();
  #rest = "";
  #failure: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8").setNoDelay(true);
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the other side closed the connection")));
  }

  /** Aborted when the connection has ended, whatever is still to be read. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  send(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** The next line. Throws when the connection ends, a line is too long, or `timeoutMs` pass; the reason of `signal` when that is aborted. */
  async next(timeoutMs: number, signal: AbortSignal): Promise<string> {
    const limit = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([limit, signal]);
    for (;;) {
      signal.throwIfAborted();
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#failure !== undefined) throw this.#failure;
      try {
        await once(this.#socket, "control", { signal: either });
      } catch (error) {
        signal.throwIfAborted();
        if (!limit.aborted) throw error;
        throw new Error(`no line within ${timeoutMs / 1000} s`, { cause: error });
      }
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    const [first = "", ...more] = text.split("\n");
    const lines = [this.#rest + first, ...more];
    this.#rest = lines.pop() ?? "";
    if ([...lines, this.#rest].some((line) => line.length > maxLineBytes) || this.#lines.length > 100) {
      this.#fail(new Error(`a line has more than ${maxLineBytes} bytes, or too many wait`));
      this.#socket.destroy();
      return;
    }
    this.#lines.push(...lines);
    this.#socket.emit("control");
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#gone.abort(this.#failure);
    this.#socket.emit("control");
  }
}
