// What the kernel was told about a netlink socket: how long a receive may wait, and how much may wait in it.

import { expect, test } from "vitest";

import { createLibc } from "../../../host/libc.ts";
import { NetlinkSocket, openGenericSocket, openRouteSocket } from "../../../host/netlink/socket.ts";

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const libc = createLibc();

test.each([
  ["route", () => openRouteSocket(libc)],
  ["generic", () => openGenericSocket(libc)],
])("a receive from a %s socket gives up after 10 s, and an answer about 256 VFs fits", (_, open) => {
  const fd = open();
  using _socket = new NetlinkSocket(libc, fd);
  const timeout = new BigInt64Array(2);
  libc.getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeout.buffer));
  expect([...timeout]).toEqual([10n, 0n]);
  const size = new Uint32Array(1);
  libc.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, new Uint8Array(size.buffer));
  // The kernel counts its own bookkeeping too, and doubles what it is asked for.
  expect(size[0]).toBe(2 * 1024 * 1024);
});
