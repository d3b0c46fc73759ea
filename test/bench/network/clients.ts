// The node under test's side of the control connections: waits for its clients and has each do its part at one time.

import { createServer, type Socket } from "node:net";
import { once } from "node:events";

import { ControlLine } from "./control-line.ts";
import type { LoadResult } from "./load.ts";
import { type Answer, type LoadOrder, type Order, parseAnswer, protocolVersion } from "./message.ts";
import type { WindowSum } from "./window.ts";

export interface Clients extends AsyncDisposable {
  readonly port: number;
  /** Until as many clients as wanted have said that they are ready. */
  readonly ready: () => Promise<void>;
  /** Until every target answered its client. */
  readonly reach: (targets: readonly string[], port: number) => Promise<void>;
  readonly load: (order: LoadOrder) => Promise<LoadResult>;
}

const joinTimeoutMs = 3_600_000;
const answerTimeoutMs = 120_000;

/**
 * Target n is the work of client n modulo their number. Every failure of a client is thrown, with its number, once all have answered.
 * One that does not answer in time is not asked again: its answer would be taken for that to the next order.
 */
export async function listenForClients(
  wanted: number,
  port: number,
  signal: AbortSignal,
  timeoutMs = answerTimeoutMs,
): Promise<Clients> {
  const lines: ControlLine[] = [];
  const queue: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    queue.push(socket);
    server.emit("joined");
  });
  server.listen(port);
  await once(server, "listening", { signal });
  const bound = server.address();
  const forAll = async (targets: readonly string[], orderFor: (own: readonly string[]) => Order) => {
    const busy = lines.flatMap((line, number) => {
      const own = targets.filter((_, at) => at % lines.length === number);
      return own.length === 0 ? [] : [ask(line, number, orderFor(own))];
    });
    await Promise.allSettled(busy);
    return Promise.all(busy);
  };
  /** The first number without a client, or with one that left while the others were waited for. */
  const findFree = (): number | undefined => {
    const numbers = Array.from({ length: wanted }, (_, at) => at);
    return numbers.find((at) => lines[at]?.gone.aborted !== false);
  };
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    ready: async () => {
      for (;;) {
        const number = findFree();
        if (number === undefined) return;
        const socket = queue.shift();
        if (socket === undefined) {
          await waitForSocket(number);
          continue;
        }
        const line = new ControlLine(socket);
        try {
          await ask(line, number, { type: "welcome", version: protocolVersion, number });
          lines[number] = line;
        } catch (error) {
          // A stranger, or a client that could not set itself up: another may come.
          console.error(`not taken as a client: ${error instanceof Error ? error.message : String(error)}`);
          line[Symbol.dispose]();
        }
      }
    },
    reach: async (targets, port) =>
      void (await forAll(targets, (own) => ({ type: "reach", targets: own, port }))),
    load: async (order) => {
      const answers = await forAll(order.targets, (own) => ({ ...order, targets: own }));
      const results = answers.flatMap((answer) => (answer.type === "result" ? [answer] : []));
      return {
        sum: addUp(results.map(({ sum }) => ({ ...sum, latency: sum.latency }))),
        busy: Math.max(...results.map(({ busy }) => busy)),
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const line of lines) {
        line.send({ type: "end" });
        line[Symbol.dispose]();
      }
      for (const socket of queue) socket.destroy();
      server.close();
    },
  };

  async function waitForSocket(number: number): Promise<void> {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(joinTimeoutMs)]);
      await once(server, "joined", { signal: limit });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Error(`no client ${number} came within ${joinTimeoutMs / 60_000} minutes`, { cause });
    }
  }

  async function ask(line: ControlLine, number: number, order: Order): Promise<Answer> {
    const lengthMs = order.type === "load" ? Math.max(0, order.toMs - Date.now()) : 0;
    line.send(order);
    for (;;) {
      signal.throwIfAborted();
      const answer = await read(line, number, lengthMs + timeoutMs);
      if (answer.type === "time") line.send({ type: "time", nowMs: Date.now() });
      else if (answer.type === "failed") throw new Error(`client ${number}: ${answer.reason}`);
      else return answer;
    }
  }

  async function read(line: ControlLine, number: number, limitMs: number): Promise<Answer> {
    try {
      return parseAnswer(await line.next(limitMs, signal));
    } catch (error) {
      signal.throwIfAborted();
      line[Symbol.dispose]();
      throw new Error(`client ${number}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

function addUp(sums: readonly WindowSum[]): WindowSum {
  const total = (pick: (sum: WindowSum) => number): number => sums.reduce((all, one) => all + pick(one), 0);
  // The client with the highest p99 speaks for all.
  const latencies = sums.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  return {
    rate: total(({ rate }) => rate),
    processes: total(({ processes }) => processes),
    late: total(({ late }) => late),
    stalled: total(({ stalled }) => stalled),
    latency: latencies.toSorted((a, b) => b.p99Us - a.p99Us)[0],
  };
}
