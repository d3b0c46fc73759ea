// Tests test/bench/network/clients.ts and control-line.ts, over real connections.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";

import { type Clients, listenForClients } from "../../../bench/network/clients.ts";
import { maxLineBytes } from "../../../bench/network/message.ts";

const order = {
  type: "load",
  test: "TCP_RR",
  targets: ["198.18.0.1", "198.18.0.2", "198.18.0.3"],
  port: 1,
  processes: 2,
  startMs: 0,
  fromMs: 0,
  toMs: 0,
} as const;

/** A client that answers each order with what `answer` gives; the orders it got. */
function join(clients: Clients, answer: (order: { type: string; targets?: string[] }) => object | string) {
  const socket: Socket = connect(clients.port, "127.0.0.1");
  const orders: { type: string; targets?: string[] }[] = [];
  socket.on("error", () => {});
  socket.setEncoding("utf8").on("data", (text: string) => {
    for (const line of text.split("\n").filter(Boolean)) {
      const got = JSON.parse(line) as { type: string };
      orders.push(got);
      const told = answer(got);
      socket.write(typeof told === "string" ? told : `${JSON.stringify(told)}\n`);
    }
  });
  return { socket, orders };
}

function work(rate: number) {
  const sum = { rate, processes: 2, late: 0, stalled: 1 };
  return ({ type }: { type: string }): object =>
    type === "welcome" ? { type: "ready" } : { type: "result", sum, busy: rate / 1000 };
}

test("the targets are shared out, the answers added up, the busiest client tells for all", async () => {
  await using clients = await listenForClients(2, 0, new AbortController().signal);
  const [a, b] = [join(clients, work(100)), join(clients, work(50))];
  await clients.ready();
  const { sum, busy } = await clients.load(order);
  expect(sum).toMatchObject({ rate: 150, processes: 4, stalled: 2 });
  expect(busy).toBe(0.1);
  const shares = [a, b].map(({ orders }) => orders.find(({ type }) => type === "load")?.targets);
  expect(shares.toSorted((x, y) => (y?.length ?? 0) - (x?.length ?? 0))).toEqual([
    ["198.18.0.1", "198.18.0.3"],
    ["198.18.0.2"],
  ]);
});

test.each([
  ["no message", "GET / HTTP/1.1\r\n\r\n"],
  ["an endless line", "x".repeat(maxLineBytes + 1)],
  ["a message of nobody's", '{"type":"result"}\n'],
])("a stranger who sends %s is sent away, and the next one taken", async (_, text) => {
  await using clients = await listenForClients(1, 0, new AbortController().signal);
  const stranger = join(clients, () => text);
  const ready = clients.ready();
  await once(stranger.socket, "close");
  join(clients, work(7));
  await ready;
  expect((await clients.load(order)).sum.rate).toBe(7);
});

test("a bench that is ended does not wait for a client's answer", async () => {
  const end = new AbortController();
  await using clients = await listenForClients(1, 0, end.signal);
  join(clients, ({ type }) => (type === "welcome" ? { type: "ready" } : ""));
  await clients.ready();
  const load = clients.load(order);
  end.abort(new Error("interrupted"));
  await expect(load).rejects.toThrow("interrupted");
});

test("a bench that is ended while it waits for clients tells by what", async () => {
  const end = new AbortController();
  await using clients = await listenForClients(1, 0, end.signal);
  const ready = clients.ready();
  end.abort(new Error("interrupted by SIGINT"));
  await expect(ready).rejects.toThrow("interrupted by SIGINT");
});

test("what failed at a client is told with its number", async () => {
  await using clients = await listenForClients(1, 0, new AbortController().signal);
  join(clients, ({ type }) =>
    type === "welcome" ? { type: "ready" } : { type: "failed", reason: "no netperf" },
  );
  await clients.ready();
  await expect(clients.load(order)).rejects.toThrow("client 0: no netperf");
});

test("one that leaves while others are waited for is replaced by the next that comes, under its number", async () => {
  await using clients = await listenForClients(2, 0, new AbortController().signal);
  const ready = clients.ready();
  const first = join(clients, work(1));
  await expect.poll(() => first.orders).toHaveLength(1);
  first.socket.destroy();
  await once(first.socket, "close");
  const others = [join(clients, work(20)), join(clients, work(300))];
  await ready;
  expect((await clients.load(order)).sum.rate).toBe(320);
  const numbers = others.map(({ orders }) => (orders[0] as unknown as { number: number }).number);
  expect(new Set(numbers)).toEqual(new Set([0, 1]));
});

test("a failure of one is told when the others have answered, too: they would get the next order in the middle of this one", async () => {
  await using clients = await listenForClients(2, 0, new AbortController().signal);
  const failed = { type: "failed", reason: "no space left" };
  const slow = join(clients, ({ type }) => (type === "welcome" ? { type: "ready" } : ""));
  join(clients, ({ type }) => (type === "welcome" ? { type: "ready" } : failed));
  await clients.ready();
  let isTold = false;
  const load = clients.load(order).finally(() => (isTold = true));
  load.catch(() => {});
  await expect.poll(() => slow.orders).toHaveLength(2);
  await Bun.sleep(50);
  expect(isTold).toBe(false);
  slow.socket.write(`${JSON.stringify(work(7)({ type: "load" }))}\n`);
  await expect(load).rejects.toThrow(/^client \d: no space left$/);
});

test("an answer that comes too late is not taken for that to the next order", async () => {
  await using clients = await listenForClients(1, 0, new AbortController().signal, 1_000);
  const { socket, orders } = join(clients, ({ type }) => (type === "welcome" ? { type: "ready" } : ""));
  await clients.ready();
  await expect(clients.load(order)).rejects.toThrow("client 0: no line within 1 s");
  expect(orders).toHaveLength(2);
  socket.write(`${JSON.stringify(work(7)({ type: "load" }))}\n`);
  await expect(clients.load(order)).rejects.toThrow("client 0: ");
});
