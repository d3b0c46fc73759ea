// Tests test/bench/network/clock-offset.ts, against a real connection.

import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, test } from "vitest";

import { toOwnClock } from "../../../bench/network/clock-offset.ts";
import { ControlLine } from "../../../bench/network/control-line.ts";

const aheadMs = 5_000;

test("an order of a node whose clock is 5 s ahead starts 5 s earlier by ours", async () => {
  const server = createServer((socket) => {
    const line = new ControlLine(socket);
    socket.on("control", () => line.send({ type: "time", nowMs: Date.now() + aheadMs }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    using line = new ControlLine(connect((server.address() as AddressInfo).port, "127.0.0.1"));
    const times = { startMs: 20_000, fromMs: 25_000, toMs: 55_000 };
    const order = {
      type: "load",
      test: "TCP_RR",
      targets: ["198.18.0.1"],
      port: 12_865,
      processes: 1,
      ...times,
    } as const;
    const own = await toOwnClock(order, line, new AbortController().signal);
    // The way of a question is not known, but half of it at most is what the answer can be wrong by.
    expect(Math.abs(own.startMs - (times.startMs - aheadMs))).toBeLessThan(1_000);
    expect(own.fromMs - own.startMs).toBeCloseTo(5_000, 3);
    expect(own.toMs - own.fromMs).toBeCloseTo(30_000, 3);
  } finally {
    server.close();
  }
});
