// Addresses and prefixes: tables, and round trips.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatCidr, networkOf, parseCidr, parseIp } from "../../../sriov/cidr.ts";

test.each([
  ["192.0.2.5/24", { family: 4, address: "192.0.2.5", prefixLength: 24 }],
  ["0.0.0.0/0", { family: 4, address: "0.0.0.0", prefixLength: 0 }],
  ["2001:DB8::0:5/64", { family: 6, address: "2001:db8::5", prefixLength: 64 }],
  ["::/0", { family: 6, address: "::", prefixLength: 0 }],
])("%s is an address with its prefix", (text, expected) => {
  expect(parseCidr(text)).toEqual(expected);
});

test.each([
  "",
  "192.0.2.5",
  "192.0.2.5/33",
  "192.0.2.5/-1",
  "192.0.2.5/024",
  "192.0.2.256/24",
  "::1/129",
  "::1/64/64",
  "x/24",
  "1.2.3.4/ 24",
])("%j is none", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test.each([
  ["192.0.2.77/24", "192.0.2.0/24"],
  ["192.0.2.77/31", "192.0.2.76/31"],
  ["192.0.2.77/32", "192.0.2.77/32"],
  ["10.99.1.1/9", "10.0.0.0/9"],
  ["2001:db8:1:2:3::5/63", "2001:db8:1:2::/63"],
  ["203.0.113.7/0", "0.0.0.0/0"],
])("the network of %s is %s", (text, expected) => {
  const cidr = parseCidr(text);
  expect(cidr && formatCidr(networkOf(cidr))).toBe(expected);
});

test("any text is an address or none, never a crash; what is one reads back", () => {
  const texts = fc.sample(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), { numRuns: 500, seed: 3 });
  const ips = texts.map(parseIp).filter((ip) => ip !== undefined);
  expect(ips.length).toBeGreaterThan(100);
  expect(ips.map(({ address }) => parseIp(address))).toEqual(ips);
});
