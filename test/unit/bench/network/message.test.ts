// Tests test/bench/network/message.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { MessageError, parseAnswer, parseOrder } from "../../../bench/network/message.ts";

const load = {
  type: "load",
  test: "TCP_RR",
  targets: ["198.18.0.1"],
  port: 12_865,
  processes: 200,
  startMs: 1,
  fromMs: 2,
  toMs: 3,
} as const;

test("an order is taken as it is", () => {
  expect(parseOrder(JSON.stringify(load))).toEqual(load);
});

test("a rate of an open loop is an order, too", () => {
  const order = { ...load, test: "UNDER_LOAD_500" };
  expect(parseOrder(JSON.stringify(order))).toEqual(order);
});

test.each([
  [{ ...load, targets: ["203.0.113.9"] }, "targets"],
  [{ ...load, targets: ["198.18.0.1; reboot"] }, "targets"],
  [{ ...load, targets: [] }, "targets"],
  [{ ...load, processes: 1e9 }, "processes"],
  [{ ...load, test: "TCP_RR -f" }, "test"],
  [{ ...load, test: "UNDER_LOAD_5 -f" }, "test"],
  [{ ...load, more: 1 }, "more"],
  [{ type: "welcome", version: 2, number: 0 }, "version"],
])("%j is refused", (order, path) => {
  expect(() => parseOrder(JSON.stringify(order))).toThrow(`wrong at "${path}`);
});

function read(line: string): string {
  try {
    parseAnswer(line);
    return "answer";
  } catch (error) {
    return error instanceof MessageError ? "MessageError" : String(error);
  }
}

test("whatever a stranger sends is a MessageError or an answer", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      expect(["answer", "MessageError"]).toContain(read(line));
    }),
  );
});
