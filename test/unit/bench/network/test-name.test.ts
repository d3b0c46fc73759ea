// Tests test/bench/network/test-name.ts.

import { expect, test } from "vitest";

import { isFixedRate, isTestName, offeredRate, unitOf } from "../../../bench/network/test-name.ts";

test.each(["TCP_RR", "STREAM", "UNDER_LOAD_1", "UNDER_LOAD_9999999"])("%s is a test", (name) => {
  expect(isTestName(name)).toBe(true);
});

test.each([
  "tcp_rr",
  "UNDER_LOAD",
  "UNDER_LOAD_0",
  "UNDER_LOAD_1e3",
  "UNDER_LOAD_5 -x",
  "UNDER_LOAD_10000000",
])("%s is none", (name) => {
  expect(isTestName(name)).toBe(false);
});

test("a rate is in the name of its test alone", () => {
  expect(offeredRate("UNDER_LOAD_5000")).toBe(5_000);
  expect(isFixedRate("TCP_RR")).toBe(false);
  expect([unitOf("UNDER_LOAD_5"), unitOf("UDP_RR"), unitOf("STREAM")]).toEqual([
    "messages/s",
    "transactions/s",
    "Mbit/s",
  ]);
});
