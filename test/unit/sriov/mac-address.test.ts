// MAC addresses: accepted forms, the canonical one, unicast and multicast.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { isMulticastMac, parseMac, parseUnicastMac, zeroMac } from "../../../sriov/mac-address.ts";

test.each([
  ["0A:1b:2C:3d:4e:5F", "0a:1b:2c:3d:4e:5f"],
  ["0a-1b-2c-3d-4e-5f", "0a:1b:2c:3d:4e:5f"],
  [" 00:00:00:00:00:00 ", zeroMac],
])("%j is %s", (text, mac) => {
  expect(parseMac(text)).toBe(mac);
});

test.each([
  "",
  "0a:1b:2c:3d:4e",
  "0a:1b:2c:3d:4e:5f:60",
  "0a1b2c3d4e5f",
  "0a:1b-2c:3d:4e:5f",
  "a:1b:2c:3d:4e:5f",
])("%j is refused", (text) => {
  expect(() => parseMac(text)).toThrow(expect.objectContaining({ code: "ERR_MAC_ADDRESS" }));
});

test.each(["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", zeroMac])("%s is no address of an interface", (mac) => {
  expect(() => parseUnicastMac(mac)).toThrow(/expected a unicast MAC address, got/);
});

test("the lowest bit of the first byte says multicast", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("-");
      const mac = parseMac(text.toUpperCase());
      expect(mac).toBe(text.replaceAll("-", ":"));
      expect(isMulticastMac(mac)).toBe(((bytes[0] ?? 0) & 1) === 1);
    }),
  );
});
