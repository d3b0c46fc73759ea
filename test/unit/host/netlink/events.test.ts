// What one read of an event socket means.

import { describe, expect, it } from "vitest";

import { concatBytes } from "../../../../host/netlink/codec.ts";
import { decodeEvents } from "../../../../host/netlink/events.ts";
import { encodeLinkBody } from "../../../../host/netlink/link.ts";
import { encodeMessage } from "../../../../host/netlink/message.ts";
import { encodeString } from "../../../../host/netlink/values.ts";

const named = encodeLinkBody(7, [{ type: 3, value: encodeString("net1abc") }]);

function message(type: number, body: Uint8Array): Uint8Array {
  return encodeMessage({ type, flags: 0, body }, 0);
}

describe("decodeEvents", () => {
  it("tells links that changed, links that went, and addresses", () => {
    const events = decodeEvents(
      concatBytes([message(16, named), message(17, named), message(20, new Uint8Array(8))]),
    );
    expect(events).toMatchObject([
      { event: "link", link: { index: 7, name: "net1abc" } },
      { event: "linkGone", index: 7, name: "net1abc" },
      { event: "address" },
    ]);
  });

  it("does not take a bridge's word about its port for a link that is gone", () => {
    const fromBridge = named.slice();
    fromBridge[0] = 7;
    expect(decodeEvents(message(17, fromBridge))).toEqual([]);
  });

  it("passes over a message about a link that does not name it", () => {
    expect(decodeEvents(message(16, encodeLinkBody(7)))).toEqual([]);
  });

  it("calls what is cut short an overrun", () => {
    expect(decodeEvents(message(16, named).subarray(0, 20))).toEqual([{ event: "overrun" }]);
  });
});
