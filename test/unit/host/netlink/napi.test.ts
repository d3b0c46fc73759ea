// NAPI instances as the netdev family tells them: the attributes by their numbers in Documentation/netlink/specs/netdev.yaml.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../../host/errors.ts";
import { concatBytes, encodeAttributes } from "../../../../host/netlink/codec.ts";
import type { NetlinkRequest } from "../../../../host/netlink/message.ts";
import { createNapis } from "../../../../host/netlink/napi.ts";
import type { NetlinkSocket } from "../../../../host/netlink/socket.ts";
import { encodeU32 } from "../../../../host/netlink/values.ts";

/** An answer of the family: its header, and attributes of four bytes. */
function answer(command: number, attributes: Readonly<Record<number, number>>): Uint8Array {
  const list = Object.entries(attributes).map(([type, value]) => ({
    type: Number(type),
    value: encodeU32(value),
  }));
  return concatBytes([Uint8Array.from([command, 1, 0, 0]), encodeAttributes(list)]);
}

/** A socket that knows the family as number 31, and answers a dump with `answers`. */
function openSocket(answers: readonly Uint8Array[] | NetlinkError) {
  const asked: NetlinkRequest[] = [];
  const socket: Pick<NetlinkSocket, "get" | "dump" | typeof Symbol.dispose> = {
    get: () => answer(1, { 1: 31 }),
    dump: (_doing, request) => {
      asked.push(request);
      if (answers instanceof NetlinkError) throw answers;
      return [...answers];
    },
    [Symbol.dispose]: () => {},
  };
  return { socket: socket as NetlinkSocket, asked };
}

test("ids in ascending order, with the interrupt and the thread of each where the kernel tells them", () => {
  const answers = [
    answer(11, { 1: 7, 2: 8194, 3: 41, 4: 912 }),
    answer(11, { 1: 7, 2: 8193, 3: 40 }),
    answer(11, { 1: 7, 2: 8195 }),
    // One without an id is none.
    answer(11, { 1: 7 }),
  ];
  const { socket, asked } = openSocket(answers);
  using napis = createNapis(socket);
  expect(napis.list(7)).toEqual([
    { id: 8193, irq: 40, pid: undefined },
    { id: 8194, irq: 41, pid: 912 },
    { id: 8195, irq: undefined, pid: undefined },
  ]);
  // NETDEV_CMD_NAPI_GET of the link with that index.
  expect(asked.map(({ type, body }) => [type, [...body]])).toEqual([
    [31, [11, 1, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0]],
  ]);
});

test.each(["ENOENT", "EOPNOTSUPP"])("a kernel that has no such question (%s) can't tell", (errno) => {
  using napis = createNapis(openSocket(new NetlinkError("list", errno)).socket);
  expect(napis.list(7)).toBeUndefined();
});

test("any other failure is one", () => {
  using napis = createNapis(openSocket(new NetlinkError("list", "ENODEV")).socket);
  expect(() => napis.list(7)).toThrow("ENODEV");
});
