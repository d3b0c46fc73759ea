// Tests test/bench/network/client.ts, against real connections; its commands only noted.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";

import { runClient } from "../../../bench/network/client.ts";

/** A node under test that says `welcome` to its client, and nothing more than these `orders`. */
async function listen(address: string, welcome: object, ...orders: readonly object[]) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    for (const order of [welcome, ...orders]) socket.write(`${JSON.stringify(order)}\n`);
  });
  server.listen(0, address);
  await once(server, "listening");
  const leave = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    host: address,
    port: (server.address() as AddressInfo).port,
    leave,
    [Symbol.dispose]: () => {
      leave();
      server.close();
    },
  };
}

function start(servers: readonly { readonly host: string; readonly port: number }[], signal: AbortSignal) {
  const calls: string[] = [];
  const run = async ({ argv }: { readonly argv: readonly string[] }): Promise<string> => {
    calls.push(argv.join(" "));
    if (argv[0] === "timeout") throw new Error("no route");
    return "";
  };
  const done = runClient(run, { servers, defaultPort: 1, link: "nic", isUp: true }, signal);
  done.catch(() => {});
  return { calls, done };
}

const welcome = { type: "welcome", version: 1, number: 0 };

test("one that is ended while it waits for an order puts its interface back at once", async () => {
  using server = await listen("127.0.0.1", welcome);
  const end = new AbortController();
  const { calls, done } = start([server], end.signal);
  await expect.poll(() => calls).toHaveLength(1);
  end.abort(new Error("interrupted by SIGINT"));
  await expect(done).rejects.toThrow("interrupted by SIGINT");
  expect(calls).toEqual(["ip address add 198.18.1.1/15 dev nic", "ip address del 198.18.1.1/15 dev nic"]);
});

test("one whose node under test goes away gives up what it waits for, and puts its interface back", async () => {
  const reach = { type: "reach", targets: ["198.18.0.1"], port: 12_865 };
  using server = await listen("127.0.0.1", welcome, reach);
  const { calls, done } = start([server], new AbortController().signal);
  await expect.poll(() => calls.length).toBeGreaterThan(2);
  const startedMs = performance.now();
  server.leave();
  await expect(done).rejects.toThrow("the other side closed the connection");
  // A target is waited for for a minute.
  expect(performance.now() - startedMs).toBeLessThan(20_000);
  expect(calls.at(-1)).toBe("ip address del 198.18.1.1/15 dev nic");
});

test("the first server that answers is taken, by IPv6 too", async () => {
  using server = await listen("::1", welcome);
  const end = new AbortController();
  const { calls, done } = start([{ host: "127.0.0.1", port: server.port }, server], end.signal);
  await expect.poll(() => calls).toHaveLength(1);
  end.abort(new Error("enough"));
  await expect(done).rejects.toThrow("enough");
});

test("servers that do not answer are all named", async () => {
  const { done } = start(
    [
      { host: "127.0.0.1", port: 1 },
      { host: "::1", port: 1 },
    ],
    new AbortController().signal,
  );
  await expect(done).rejects.toThrow(/no node under test answers: 127\.0\.0\.1, port 1: .*; ::1, port 1: /u);
});

test("a node under test of another release is told as that", async () => {
  using server = await listen("127.0.0.1", { ...welcome, version: 2, more: true });
  const { calls, done } = start([server], new AbortController().signal);
  await expect(done).rejects.toThrow(
    "expected version 1 of the bench: use one release of virtfn on all machines",
  );
  expect(calls).toEqual([]);
});
