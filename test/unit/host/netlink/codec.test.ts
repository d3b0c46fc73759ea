// Attributes and messages: round trips, and what happens to bytes that are none.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NetlinkError } from "../../../../host/errors.ts";
import {
  concatBytes,
  decodeAttributes,
  encodeAttributes,
  indexAttributes,
  type Attribute,
} from "../../../../host/netlink/codec.ts";
import {
  decodeMessages,
  decodeStatus,
  encodeMessage,
  NLM_F_REQUEST,
} from "../../../../host/netlink/message.ts";
import { encodeString, encodeU32 } from "../../../../host/netlink/values.ts";

const type = fc.integer({ min: 1, max: 0x3fff });
const bytes = fc.uint8Array({ maxLength: 64 });

/** Whether `work` gave something or failed with an error of ours; any other failure goes on. */
function outcome(work: () => unknown): "read" | "refused" {
  try {
    work();
    return "read";
  } catch (error) {
    if (error instanceof NetlinkError) return "refused";
    throw error;
  }
}

describe("attributes", () => {
  it("come back as they were written, whatever their lengths", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ type, value: bytes })), (attributes) => {
        const written = encodeAttributes(attributes);
        expect(written.length % 4).toBe(0);
        expect(decodeAttributes(written)).toEqual(attributes);
      }),
    );
  });

  it("nest, and lose the nested flag when read", () => {
    const inner: Attribute[] = [{ type: 53, value: encodeString("a-long-name") }];
    const list = indexAttributes(encodeAttributes([{ type: 52 | 0x8000, value: inner }])).get(52);
    expect(decodeAttributes(list ?? new Uint8Array())).toEqual(inner);
  });

  it("of random bytes either are read or refused with an error of ours", () => {
    const outcomes = new Set<string>();
    fc.assert(fc.property(bytes, (garbage) => void outcomes.add(outcome(() => decodeAttributes(garbage)))));
    expect(outcomes).toEqual(new Set(["read", "refused"]));
  });

  it("that do not fit are refused on both sides", () => {
    expect(() => decodeAttributes(Uint8Array.of(200, 0, 1, 0))).toThrow(
      "reading attribute at byte 0 of 4, length 200: EBADMSG",
    );
    expect(() => encodeAttributes([{ type: 22, value: new Uint8Array(65_532) }])).toThrow(
      "writing attribute 22 of 65536 bytes: EMSGSIZE",
    );
  });
});

describe("messages", () => {
  it("come back as they were written, several in a datagram", () => {
    const request = fc.record({
      type: fc.integer({ min: 0, max: 0xffff }),
      flags: fc.constant(0x300),
      body: bytes,
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 4 }), (requests) => {
        const datagram = concatBytes(
          requests.map((one, i) =>
            concatBytes([encodeMessage(one, i), new Uint8Array(-one.body.length & 3)]),
          ),
        );
        const expected = requests.map((one, i) => ({
          ...one,
          flags: one.flags | NLM_F_REQUEST,
          sequence: i,
        }));
        expect(decodeMessages(datagram)).toEqual(expected);
      }),
    );
  });

  it("of random bytes either are read or refused with an error of ours", () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(
        bytes,
        (garbage) => void outcomes.add(outcome(() => decodeMessages(garbage).map(decodeStatus))),
      ),
    );
    expect(outcomes).toEqual(new Set(["read", "refused"]));
  });
});

describe("the kernel's answer", () => {
  const text = { type: 1, value: encodeString("mtu less than device minimum") };
  const errno = new Uint8Array(new Int32Array([-22]).buffer);

  it("has errno and text behind the header of the request (capped) or the whole of it", () => {
    const header = encodeMessage({ type: 16, flags: 0, body: new Uint8Array() }, 1);
    const capped = concatBytes([errno, header, encodeAttributes([text])]);
    const status = { errno: 22, extAck: "mtu less than device minimum" };
    expect(decodeStatus({ type: 2, flags: 0x300, sequence: 1, body: capped })).toEqual(status);
    const request = encodeMessage({ type: 16, flags: 0, body: new Uint8Array(40) }, 1);
    const whole = concatBytes([errno, request, encodeAttributes([text])]);
    expect(decodeStatus({ type: 2, flags: 0x200, sequence: 1, body: whole })).toEqual(status);
  });

  it("has the text right behind errno when it closes a dump", () => {
    const body = concatBytes([errno, encodeAttributes([text])]);
    expect(decodeStatus({ type: 3, flags: 0x202, sequence: 1, body })).toMatchObject({
      errno: 22,
      extAck: "mtu less than device minimum",
    });
  });

  it("is success with 0, and has no text without the flag for it", () => {
    expect(decodeStatus({ type: 2, flags: 0, sequence: 1, body: encodeU32(0) }).errno).toBe(0);
    const body = concatBytes([errno, new Uint8Array(16), encodeAttributes([text])]);
    expect(decodeStatus({ type: 2, flags: 0, sequence: 1, body }).extAck).toBeUndefined();
  });
});
