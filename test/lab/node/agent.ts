// Client of the agent inside the guest: runs scripts there, several at once, over one unix socket.
import { randomUUID } from "node:crypto";
import { type ExecResult, formatAgentRequest, parseAgentAnswer } from "./agent-line.ts";
import { LineSocket } from "./line-socket.ts";

export interface ExecOptions {
  readonly timeoutMs?: number;
}

/** The guest gave no answer in time: it is booting, hangs, or the script does. */
export class AgentTimeoutError extends Error {
  readonly code = "ERR_LAB_AGENT_TIMEOUT";
}

interface Waiter {
  resolve(result: ExecResult): void;
  reject(error: Error): void;
}

/** Why the socket is closed; undefined while it is open. */
interface End {
  reason: Error | undefined;
}

export class Agent implements Disposable {
  readonly #waiters: Map<string, Waiter>;
  readonly #socket: LineSocket;
  readonly #end: End;

  private constructor(socket: LineSocket, waiters: Map<string, Waiter>, end: End) {
    this.#socket = socket;
    this.#waiters = waiters;
    this.#end = end;
  }

  /** Connects to QEMU's end of the agent's port or to the relay of a running lab; the guest need not be up yet. */
  static async connect(path: string): Promise<Agent> {
    const waiters = new Map<string, Waiter>();
    const end: End = { reason: undefined };
    const socket = await LineSocket.connect(path, {
      line(text) {
        const answer = parseAgentAnswer(text);
        if (answer !== undefined) waiters.get(answer.id)?.resolve(answer);
      },
      close(error) {
        const reason = error ?? new Error(`the guest agent's socket ${path} was closed`);
        end.reason = reason;
        for (const waiter of waiters.values()) waiter.reject(reason);
      },
    });
    // Ends a half line that a client before this one may have left in the guest.
    socket.writeLine("");
    return new Agent(socket, waiters, end);
  }

  /** Runs a bash script in the guest as root; a failing script is a result, not an error. Throws AgentTimeoutError, or what closed the socket. */
  async exec(script: string, options: ExecOptions = {}): Promise<ExecResult> {
    if (this.#end.reason !== undefined) throw this.#end.reason;
    const { timeoutMs = 60_000 } = options;
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
    const timer = setTimeout(() => {
      reject(
        new AgentTimeoutError(
          `no answer from the guest within ${timeoutMs} ms to: ${script.trim().slice(0, 200)}`,
        ),
      );
    }, timeoutMs);
    this.#waiters.set(id, { resolve, reject });
    try {
      this.#socket.writeLine(formatAgentRequest({ id, timeoutMs, script }));
      const { exitCode, stdout, stderr } = await promise;
      return { exitCode, stdout, stderr };
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(id);
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
