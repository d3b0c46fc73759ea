// Versions of a device, as devlink tells them: the answer of an ice card, and what is no error.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../../host/errors.ts";
import { concatBytes, encodeAttributes } from "../../../../host/netlink/codec.ts";
import { createDevlink } from "../../../../host/netlink/devlink.ts";
import type { NetlinkRequest } from "../../../../host/netlink/message.ts";
import { encodeString } from "../../../../host/netlink/values.ts";

const pf = "0000:b1:00.0";
const header = Uint8Array.from([0, 1, 0, 0]);
const family = concatBytes([header, encodeAttributes([{ type: 1, value: Uint8Array.from([21, 0]) }])]);

const version = (type: number, name: string, value: string): Uint8Array =>
  encodeAttributes([
    {
      type,
      value: [
        { type: 103, value: encodeString(name) },
        { type: 104, value: encodeString(value) },
      ],
    },
  ]);

const info = concatBytes([
  header,
  encodeAttributes([
    { type: 1, value: encodeString("pci") },
    { type: 2, value: encodeString(pf) },
    { type: 98, value: encodeString("ice") },
  ]),
  version(100, "board.id", "K91258-000"),
  version(101, "fw.mgmt", "7.3.4"),
  version(101, "fw.app.name", "ICE COMMS Package"),
  version(102, "fw.app.name", "another one"),
]);

/** A socket that answers the family's number, then `answer`, and keeps what it is asked. */
function makeSocket(answer: () => Uint8Array): {
  readonly asked: NetlinkRequest[];
  readonly socket: Parameters<typeof createDevlink>[0];
} {
  const asked: NetlinkRequest[] = [];
  const get = (_doing: string, request: NetlinkRequest): Uint8Array => {
    asked.push(request);
    return asked.length === 1 ? family : answer();
  };
  return { asked, socket: { get, [Symbol.dispose]: () => {} } };
}

test("what runs is told by name, and nothing of what is stored or fixed", () => {
  const { asked, socket } = makeSocket(() => info);
  using devlink = createDevlink(socket);
  expect(Object.fromEntries(devlink.getRunningVersions(pf))).toEqual({
    "fw.mgmt": "7.3.4",
    "fw.app.name": "ICE COMMS Package",
  });
  devlink.getRunningVersions(pf);
  expect(asked.map(({ type }) => type)).toEqual([16, 21, 21]);
  expect(asked[1]?.body[0]).toBe(51);
  expect(Buffer.from(asked[1]?.body ?? []).toString("latin1")).toContain(`${pf}\0`);
});

test.each(["ENODEV", "EOPNOTSUPP", "ENOENT"])("%s is nothing told", (errno) => {
  const { socket } = makeSocket(() => {
    throw new NetlinkError("get", errno);
  });
  using devlink = createDevlink(socket);
  expect(devlink.getRunningVersions(pf).size).toBe(0);
});

test("another error is one", () => {
  const { socket } = makeSocket(() => {
    throw new NetlinkError("get", "EIO");
  });
  using devlink = createDevlink(socket);
  expect(() => devlink.getRunningVersions(pf)).toThrow("EIO");
});
