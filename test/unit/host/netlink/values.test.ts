// Values inside attributes: MAC and IP addresses, numbers, strings, scopes.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NetlinkError } from "../../../../host/errors.ts";
import { decodeIp, encodeIp, familyOf } from "../../../../host/netlink/ip-address.ts";
import { decodeScope, encodeScope } from "../../../../host/netlink/scope.ts";
import {
  decodeMac,
  decodeString,
  decodeU32,
  encodeMac,
  encodeString,
  encodeU32s,
} from "../../../../host/netlink/values.ts";

function zeroEnded(bytes: readonly number[]): Uint8Array {
  return Uint8Array.from([...bytes, 0]);
}

describe("IP addresses", () => {
  it("come back as they were written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (ip) => {
        expect(encodeIp(4, decodeIp(ip))).toEqual(ip);
      }),
    );
    const byte = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 255 }));
    const ipv6 = fc.array(byte, { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(ipv6, (ip) => {
        expect([...encodeIp(6, decodeIp(Uint8Array.from(ip)))]).toEqual(ip);
      }),
    );
  });

  it("of random text either are read or refused with an error of ours", () => {
    const text = fc.string({
      unit: fc.constantFrom("0", "1", "f", "9", ":", ".", "%", "/", "g"),
      maxLength: 24,
    });
    const lengths = new Set<number>();
    fc.assert(
      fc.property(text, fc.constantFrom(4 as const, 6 as const), (garbage, family) => {
        try {
          lengths.add(encodeIp(family, garbage).length);
        } catch (error) {
          if (!(error instanceof NetlinkError)) throw error;
          lengths.add(0);
        }
      }),
    );
    expect([4, 16, 0]).toEqual(expect.arrayContaining([...lengths]));
  });

  it.each([
    ["2001:0DB8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::0001", "::1"],
    ["fe80::", "fe80::"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ])("writes %s as RFC 5952 has it: %s", (text, canonical) => {
    expect(decodeIp(encodeIp(6, text))).toBe(canonical);
  });

  it.each(["", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4/24", " 1.2.3.4", "::1"])(
    "refuses %j as IPv4",
    (text) => {
      expect(() => encodeIp(4, text)).toThrow(`reading IPv4 address "${text}": EINVAL`);
    },
  );

  it.each([
    "",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "fe80::1%eth0",
    "::g",
    "::12345",
    "1.2.3.4",
    "1.2.3.4::",
  ])("refuses %j as IPv6", (text) => {
    expect(() => encodeIp(6, text)).toThrow(`reading IPv6 address "${text}": EINVAL`);
  });

  it("have a family of 4 or 6, and no other", () => {
    expect([2, 10, 7, 0].map(familyOf)).toEqual([4, 6, undefined, undefined]);
  });
});

describe("other values", () => {
  it("MAC addresses come back in lower case", () => {
    expect(decodeMac(encodeMac("02:AB:00:00:00:0f"))).toBe("02:ab:00:00:00:0f");
    expect(decodeMac(new Uint8Array())).toBe("");
    expect(() => encodeMac("02:00:00:00:00")).toThrow('reading MAC address "02:00:00:00:00": EINVAL');
  });

  it("numbers stand behind each other, and end where the bytes end", () => {
    const numbers = encodeU32s(3, 0xffff_ffff);
    expect([decodeU32(numbers), decodeU32(numbers, 4)]).toEqual([3, 0xffff_ffff]);
    expect(() => decodeU32(numbers, 8)).toThrow("reading 4 bytes at 8 of 8: EBADMSG");
  });

  it("strings end at their zero, or with the bytes", () => {
    expect(decodeString(encodeString("enp1s0v0"))).toBe("enp1s0v0");
    expect(decodeString(new TextEncoder().encode("lo"))).toBe("lo");
  });

  it("strings come back as the bytes that they were, also where these are no text", () => {
    const bytes = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(0xef, 0xbb, 0xbf, 0x61)),
    );
    fc.assert(
      fc.property(bytes, (name) => {
        expect(encodeString(decodeString(zeroEnded(name)))).toEqual(zeroEnded(name));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const own = text.replaceAll("\0", "");
        expect(decodeString(encodeString(own))).toBe(own);
      }),
    );
    expect(decodeString(zeroEnded([0xef, 0xbb, 0xbf, 0x61]))).toBe("\ufeffa");
    expect(decodeString(zeroEnded([0x61, 0xff]))).toBe("a\udcff");
    expect(encodeString("ä\udcff")).toEqual(zeroEnded([0xc3, 0xa4, 0xff]));
  });

  it("scopes come back, and unknown ones are global", () => {
    const scopes = ["global", "site", "link", "host", "nowhere"] as const;
    expect(scopes.map((scope) => decodeScope(encodeScope(scope)))).toEqual(scopes);
    expect(decodeScope(100)).toBe("global");
  });
});
