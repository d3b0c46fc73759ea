// A unix socket that speaks in lines, as both QMP and the guest agent do.
import { connect, type Socket } from "node:net";

export interface LineHandlers {
  line(text: string): void;
  close(error: Error | undefined): void;
}

export class LineSocket implements Disposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to the unix socket at `path`; `handlers` get every full line and, once, the end. Throws when nobody listens there. */
  static async connect(path: string, handlers: LineHandlers): Promise<LineSocket> {
    const socket = connect(path);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let failure: Error | undefined;
    socket.once("connect", resolve);
    socket.on("error", (error) => {
      failure = new Error(`unix socket ${path}: ${error.message}`, { cause: error });
      reject(failure);
    });
    socket.once("close", () => handlers.close(failure));
    readLines(socket, (text) => handlers.line(text));
    await promise;
    return new LineSocket(socket);
  }

  writeLine(text: string): void {
    this.#socket.write(`${text}\n`);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** Calls `onLine` with each line the socket receives, without its end (`\n` or `\r\n`). */
export function readLines(socket: Socket, onLine: (text: string) => void): void {
  let pending: string[] = [];
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const [first = "", ...rest] = chunk.split("\n");
    pending.push(first);
    for (const next of rest) {
      onLine(pending.join("").replace(/\r$/, ""));
      pending = [next];
    }
  });
}
