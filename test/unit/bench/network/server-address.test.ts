// Tests test/bench/network/server-address.ts.

import { expect, test } from "vitest";

import { parseServerAddress } from "../../../bench/network/server-address.ts";

test.each([
  ["node-1.example.com", "node-1.example.com", undefined],
  ["192.0.2.10", "192.0.2.10", undefined],
  ["192.0.2.10:7715", "192.0.2.10", 7715],
  ["2001:db8::1", "2001:db8::1", undefined],
  ["::ffff:192.0.2.1", "::ffff:192.0.2.1", undefined],
  ["fe80::1%eth0", "fe80::1%eth0", undefined],
  ["[2001:db8::1]", "2001:db8::1", undefined],
  ["[2001:db8::1]:65535", "2001:db8::1", 65_535],
  ["[fe80::1%eth0]:7", "fe80::1%eth0", 7],
])("%s is host %s, port %s", (text, host, port) => {
  expect(parseServerAddress(text)).toEqual({ host, port });
});

test.each(["", ":7", "a:", "a:0", "a:65536", "a:b", "a b", "[::1", "::1]", "[]:7", "http://a", "node:7:8"])(
  "%j is none",
  (text) => {
    expect(parseServerAddress(text)).toBeUndefined();
  },
);
