// Frames that announce addresses, taken apart by hand as the RFCs draw them.

import { expect, test } from "vitest";

import { encodeAnnouncement } from "../../../sriov/announce.ts";

const mac = "02:aa:bb:cc:dd:01";

test("an IPv4 address is announced by an ARP request of the address for itself", () => {
  const frame = encodeAnnouncement(mac, { family: 4, address: "192.0.2.50" });
  expect(cut(frame, [6, 6, 2])).toEqual(["ffffffffffff", "02aabbccdd01", "0806"]);
  // RFC 826: hardware, protocol, their lengths, operation; RFC 5227, 2.3: sender = target, target hardware address ignored.
  expect(cut(frame.subarray(14), [2, 2, 1, 1, 2, 6, 4, 6, 4])).toEqual([
    "0001",
    "0800",
    "06",
    "04",
    "0001",
    "02aabbccdd01",
    "c0000232",
    "000000000000",
    "c0000232",
  ]);
  expect(frame).toHaveLength(42);
});

test("an IPv6 address is announced by an unsolicited advertisement to all nodes that overrides what they knew", () => {
  const frame = encodeAnnouncement(mac, { family: 6, address: "2001:db8::50" });
  const [address, allNodes] = [
    "20010db8000000000000000000000050",
    "ff020000000000000000000000000001",
  ] as const;
  expect(cut(frame, [6, 6, 2])).toEqual(["333300000001", "02aabbccdd01", "86dd"]);
  // RFC 8200, section 3: version and flow label, payload length, next header ICMPv6, hop limit, source, destination.
  expect(cut(frame.subarray(14), [4, 2, 1, 1, 16, 16])).toEqual([
    "60000000",
    "0020",
    "3a",
    "ff",
    address,
    allNodes,
  ]);
  // RFC 4861, 4.4: type, code, checksum, R S O and reserved bits, target, and the option of 4.6.1.
  const message = frame.subarray(54);
  expect(cut(message, [1, 1])).toEqual(["88", "00"]);
  expect(cut(message.subarray(4), [4, 16, 1, 1, 6])).toEqual([
    "20000000",
    address,
    "02",
    "01",
    "02aabbccdd01",
  ]);
  expect(frame).toHaveLength(14 + 40 + 32);
});

test.each(["2001:db8::50", "fe80::aabb:ccff:fedd:1", "fd00:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "::1"])(
  "the checksum of an advertisement of %s is right: the sum over everything is all ones",
  (address) => {
    const frame = encodeAnnouncement(mac, { family: 6, address });
    const message = frame.subarray(54);
    const pseudoHeader = [...frame.subarray(22, 54), 0, 0, 0, message.length, 0, 0, 0, 58];
    const bytes = [...pseudoHeader, ...message];
    let sum = 0n;
    for (let at = 0; at < bytes.length; at += 2) sum += BigInt((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0));
    expect(sum % 0xffffn).toBe(0n);
  },
);

function cut(bytes: Uint8Array, lengths: readonly number[]): readonly string[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return Buffer.from(bytes.subarray(at - length, at)).toString("hex");
  });
}
