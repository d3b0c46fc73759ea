// Client of QEMU's monitor: faults (link off, reset, unplug) and the machine's end. Source: QEMU docs/interop/qmp-spec.rst.
import { LineSocket } from "./line-socket.ts";

export type QmpMessage =
  | { readonly kind: "greeting" }
  | { readonly kind: "return"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly text: string }
  | { readonly kind: "event"; readonly name: string; readonly data: unknown };

/** What a line from QEMU says; undefined for a line that is none of the protocol's. */
export function parseQmpLine(line: string): QmpMessage | undefined {
  const message = readObject(line);
  if (message === undefined) return undefined;
  if ("QMP" in message) return { kind: "greeting" };
  if (typeof message["event"] === "string")
    return { kind: "event", name: message["event"], data: message["data"] };
  if (typeof message["id"] !== "number") return undefined;
  if ("return" in message) return { kind: "return", id: message["id"], value: message["return"] };
  if (!("error" in message)) return undefined;
  const { class: kind, desc } = message["error"] as { readonly class: string; readonly desc: string };
  return { kind: "error", id: message["id"], text: `${kind}: ${desc}` };
}

/** The line that asks QEMU to run `command`. */
export function formatQmpCommand(id: number, command: string, args: object): string {
  return JSON.stringify({ execute: command, id, arguments: args });
}

interface Waiter {
  wants(message: QmpMessage): boolean;
  resolve(message: QmpMessage): void;
  reject(error: Error): void;
}

export class Qmp implements Disposable {
  readonly #waiters: Set<Waiter>;
  #socket: LineSocket | undefined;
  #lastId = 0;

  private constructor(waiters: Set<Waiter>) {
    this.#waiters = waiters;
  }

  /** Connects and leaves negotiation mode. One client at a time: connect, use, dispose. */
  static async connect(path: string): Promise<Qmp> {
    const waiters = new Set<Waiter>();
    const qmp = new Qmp(waiters);
    const greeting = qmp.#waitFor("greeting", (message) => message.kind === "greeting", 30_000);
    greeting.catch(() => {});
    qmp.#socket = await LineSocket.connect(path, {
      line(text) {
        const message = parseQmpLine(text);
        if (message === undefined) return;
        for (const waiter of waiters) if (waiter.wants(message)) waiter.resolve(message);
      },
      close(error) {
        for (const waiter of waiters) waiter.reject(error ?? new Error(`QEMU closed its monitor ${path}`));
      },
    });
    await greeting;
    await qmp.execute("qmp_capabilities");
    return qmp;
  }

  /** Runs a command and gives what it returns. Throws with the command and QEMU's own words when it is refused. */
  async execute(command: string, args: object = {}, timeoutMs = 30_000): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = this.#waitFor(command, (message) => "id" in message && message.id === id, timeoutMs);
    this.#socket?.writeLine(formatQmpCommand(id, command, args));
    const message = await answer;
    if (message.kind === "error")
      throw new Error(`QEMU refused ${command} ${JSON.stringify(args)}: ${message.text}`);
    return message.kind === "return" ? message.value : undefined;
  }

  /** The data of the next event of that name; ask before doing what causes it. */
  async waitForEvent(name: string, timeoutMs = 30_000): Promise<unknown> {
    const message = await this.#waitFor(
      `event ${name}`,
      (seen) => seen.kind === "event" && seen.name === name,
      timeoutMs,
    );
    return message.kind === "event" ? message.data : undefined;
  }

  async #waitFor(what: string, wants: Waiter["wants"], timeoutMs: number): Promise<QmpMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<QmpMessage>();
    const waiter: Waiter = { wants, resolve, reject };
    const timer = setTimeout(
      () => reject(new Error(`QEMU's monitor: no ${what} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#waiters.add(waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  [Symbol.dispose](): void {
    this.#socket?.[Symbol.dispose]();
  }
}

function readObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
