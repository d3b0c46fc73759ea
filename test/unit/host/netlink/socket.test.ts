// The protocol of requests and answers, against a kernel that answers as told.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { SystemCallError } from "../../../../host/errors.ts";
import { createLibc, type Libc } from "../../../../host/libc.ts";
import { concatBytes, encodeAttributes, viewOf } from "../../../../host/netlink/codec.ts";
import { encodeMessage } from "../../../../host/netlink/message.ts";
import { NetlinkSocket } from "../../../../host/netlink/socket.ts";
import { encodeString } from "../../../../host/netlink/values.ts";

const DUMP_INTR = 0x10;
const request = { type: 18, flags: 0, body: new Uint8Array(16) };

function answer(type: number, sequence: number, body: Uint8Array, flags = 0): Uint8Array {
  const message = encodeMessage({ type, flags: 0, body }, sequence);
  viewOf(message).setUint16(6, flags, true);
  return message;
}

function status(type: number, sequence: number, errno: number, text?: string): Uint8Array {
  const number = new Uint8Array(new Int32Array([-errno]).buffer);
  const echo = encodeMessage(request, sequence).subarray(0, 16);
  if (text === undefined) return answer(type, sequence, concatBytes([number, echo]), 0x100);
  return answer(
    type,
    sequence,
    concatBytes([number, echo, encodeAttributes([{ type: 1, value: encodeString(text) }])]),
    0x300,
  );
}

const ok = (sequence: number): Uint8Array => status(2, sequence, 0);
const done = (sequence: number, flags = 0): Uint8Array => answer(3, sequence, new Uint8Array(4), flags | 2);
const item = (sequence: number, value: number, flags = 2): Uint8Array =>
  answer(16, sequence, Uint8Array.of(value, 0, 0, 0), flags);

function refuse(): never {
  throw new SystemCallError("setsockopt", "3, 270, 12, 1 0 0 0", "ENOPROTOOPT");
}

/** A socket whose receives give `datagrams` one after another, then time out. */
function openSocket(datagrams: readonly Uint8Array[]): {
  readonly socket: NetlinkSocket;
  readonly sent: Uint8Array[];
} {
  const waiting = [...datagrams];
  const sent: Uint8Array[] = [];
  const libc: Libc = {
    ...createLibc(),
    setsockopt: () => {},
    send: (_fd, bytes) => void sent.push(bytes),
    recv: (fd, into) => {
      const next = waiting.shift();
      if (next === undefined) throw new SystemCallError("recv", `${fd}`, "EAGAIN");
      into.set(next.subarray(0, into.length));
      return next.length;
    },
  };
  return { socket: new NetlinkSocket(libc, fs.openSync("/dev/null", "r")), sent };
}

/** What this process has open. The number itself tells nothing: test files are threads of one process, and each may have it next. */
function listOpen(): readonly string[] {
  const folder = "/proc/self/fd";
  return fs.readdirSync(folder).map((fd) => {
    try {
      return fs.readlinkSync(join(folder, fd));
    } catch {
      return "closed meanwhile";
    }
  });
}

describe("a socket that the kernel does not set up", () => {
  it("leaves no descriptor behind", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "virtfn-netlink-"));
    const path = join(folder, "socket");
    fs.writeFileSync(path, "");
    const fd = fs.openSync(path, "r");
    expect(listOpen()).toContain(path);
    expect(() => new NetlinkSocket({ ...createLibc(), setsockopt: refuse }, fd)).toThrow("ENOPROTOOPT");
    expect(listOpen()).not.toContain(path);
    fs.rmSync(folder, { recursive: true });
  });
});

describe("a socket that was closed", () => {
  it("sends nothing: its number may be another file's by now", () => {
    const { socket, sent } = openSocket([ok(1)]);
    socket[Symbol.dispose]();
    expect(() => socket.change("set link 5 up true", request)).toThrow("set link 5 up true: EBADF");
    expect(sent).toEqual([]);
  });
});

describe("change", () => {
  it("asks for an acknowledgement and counts requests", () => {
    const { socket, sent } = openSocket([ok(1), ok(2)]);
    using _ = socket;
    socket.change("set link 5 mtu 9000", request);
    socket.change("set link 5 mtu 9000", request);
    expect(sent.map((bytes) => [viewOf(bytes).getUint16(6, true), viewOf(bytes).getUint32(8, true)])).toEqual(
      [
        [0x5, 1],
        [0x5, 2],
      ],
    );
  });

  it("throws what was being done, errno and the kernel's text", () => {
    const { socket } = openSocket([status(2, 1, 22, "mtu less than device minimum"), status(2, 2, 1)]);
    using _ = socket;
    expect(() => socket.change("set link 5 mtu 1", request)).toThrow(
      "set link 5 mtu 1: EINVAL (mtu less than device minimum)",
    );
    expect(() => socket.change("set link 5 up true", request)).toThrow("set link 5 up true: EPERM");
  });

  it("passes over the answer of an earlier request", () => {
    const { socket } = openSocket([status(2, 1, 22), concatBytes([ok(1), ok(2)])]);
    using _ = socket;
    expect(() => socket.change("first", request)).toThrow("first: EINVAL");
    expect(() => socket.change("second", request)).not.toThrow();
  });

  it("says that no answer came in time", () => {
    const { socket } = openSocket([]);
    using _ = socket;
    expect(() => socket.change("set link 5 up true", request)).toThrow("set link 5 up true: recv: EAGAIN");
  });
});

describe("get", () => {
  it("gives the body of the one answer", () => {
    const { socket } = openSocket([item(1, 7, 0), ok(1)]);
    using _ = socket;
    expect([...socket.get("get link 5", request)]).toEqual([7, 0, 0, 0]);
  });

  it("refuses an acknowledgement without an answer, and an answer larger than the buffer", () => {
    const { socket } = openSocket([ok(1), new Uint8Array(300_000)]);
    using _ = socket;
    expect(() => socket.get("get link 5", request)).toThrow("get link 5: ENODATA");
    expect(() => socket.get("get link 5", request)).toThrow("get link 5: answer of 300000 bytes: EMSGSIZE");
  });
});

describe("dump", () => {
  it("gives all bodies of several datagrams", () => {
    const { socket } = openSocket([concatBytes([item(1, 1), item(1, 2)]), item(1, 3), done(1)]);
    using _ = socket;
    expect(socket.dump("list links", request).map((body) => body[0])).toEqual([1, 2, 3]);
  });

  it("starts again when it was interrupted, be it told by an item or by the end", () => {
    const { socket, sent } = openSocket([
      concatBytes([item(1, 1), item(1, 9, 2 | DUMP_INTR)]),
      done(1),
      concatBytes([item(2, 8), done(2, DUMP_INTR)]),
      concatBytes([item(3, 1), item(3, 2), done(3)]),
    ]);
    using _ = socket;
    expect(socket.dump("list links", request).map((body) => body[0])).toEqual([1, 2]);
    expect(sent).toHaveLength(3);
  });

  it("gives up when something changes during every attempt", () => {
    const { socket } = openSocket(Array.from({ length: 20 }, (_, i) => done(i + 1, DUMP_INTR)));
    using _ = socket;
    expect(() => socket.dump("list links", request)).toThrow(
      "list links: changed during each of 20 readings: EINTR",
    );
  });

  it("throws the error that ends it", () => {
    const failed = answer(3, 1, new Uint8Array(new Int32Array([-95]).buffer), 2);
    const { socket } = openSocket([concatBytes([item(1, 1), failed])]);
    using _ = socket;
    expect(() => socket.dump("list links", request)).toThrow("list links: EOPNOTSUPP");
  });
});
