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

export class Agent implements Disposable {
  readonly #waiters: Map<string, Waiter>;
  readonly #socket: LineSocket;

  private constructor(socket: LineSocket, waiters: Map<string, Waiter>) {
    this.#socket = socket;
    this.#waiters = waiters;
  }

  /** Connects to QEMU's end of the agent's port or to the relay of a running lab; the guest need not be up yet. */
  static async connect(path: string): Promise<Agent> {
    const waiters = new Map<string, Waiter>();
    const socket = await LineSocket.connect(path, {
      line(text) {
        const answer = parseAgentAnswer(text);
        if (answer !== undefined) waiters.get(answer.id)?.resolve(answer);
      },
      close(error) {
        const gone = error ?? new Error(`the guest agent's socket ${path} was closed`);
        for (const waiter of waiters.values()) waiter.reject(gone);
      },
    });
    // Ends a half line that a client before this one may have left in the guest.
    socket.writeLine("");
    return new Agent(socket, waiters);
  }

  /** Runs a bash script in the guest as root; a failing script is a result, not an error. Throws AgentTimeoutError. */
  async exec(script: string, options: ExecOptions = {}): Promise<ExecResult> {
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
