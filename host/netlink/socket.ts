// A netlink socket: one request at a time, its answers by sequence number, dumps repeated until they are consistent.

import * as fs from "node:fs";

import { NetlinkError, SystemCallError } from "../errors.ts";
import type { Libc } from "../libc.ts";
import {
  decodeMessages,
  decodeStatus,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  throwOnFailure,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./message.ts";
import { encodeU32 } from "./values.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const NETLINK_GENERIC = 16;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;

/** The kernel answers inside send(); only a driver that hangs makes a receive wait at all. */
const receiveTimeoutSeconds = 10;
/** The answer about one link with 256 VFs is up to 64 KiB of VFs and a few KiB more. */
const receiveBufferBytes = 256 * 1024;
/** For all sockets: a request is sent and answered without a break, and what was received is copied at once. */
const buffer = new Uint8Array(receiveBufferBytes);
const dumpAttempts = 20;

/** Opens a route netlink socket in the calling thread's network namespace; multicast `groups` make it an event socket that does not block. */
export function openRouteSocket(libc: Libc, groups = 0): number {
  return openSocket(libc, NETLINK_ROUTE, groups);
}

/** Opens a generic netlink socket in the calling thread's network namespace. */
export function openGenericSocket(libc: Libc): number {
  return openSocket(libc, NETLINK_GENERIC, 0);
}

function openSocket(libc: Libc, protocol: number, groups: number): number {
  const type = SOCK_RAW | SOCK_CLOEXEC | (groups === 0 ? 0 : SOCK_NONBLOCK);
  const fd = libc.socket(AF_NETLINK, type, protocol);
  try {
    const address = new Uint8Array(12);
    address[0] = AF_NETLINK;
    address.set(encodeU32(groups), 8);
    libc.bind(fd, address);
    widenReceiveBuffer(libc, fd);
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Requests over one netlink socket, which it owns. Every failure is a NetlinkError that starts with `doing`. */
export class NetlinkSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  #sequence = 0;
  #isOpen = true;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    try {
      setUp(libc, fd);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) fs.closeSync(this.#fd);
    this.#isOpen = false;
  }

  /** Asks for a change and waits for the acknowledgement. */
  change(doing: string, request: NetlinkRequest): void {
    this.#exchange(doing, { ...request, flags: request.flags | NLM_F_ACK });
  }

  /** Asks for one object: the body of the answer. */
  get(doing: string, request: NetlinkRequest): Uint8Array {
    const [answer] = this.#exchange(doing, { ...request, flags: request.flags | NLM_F_ACK });
    if (answer === undefined) throw new NetlinkError(doing, "ENODATA");
    return answer.body;
  }

  /** Asks for all objects: the bodies, again from the start when something changed meanwhile (NLM_F_DUMP_INTR). */
  dump(doing: string, request: NetlinkRequest): readonly Uint8Array[] {
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const answers = this.#exchange(doing, { ...request, flags: request.flags | NLM_F_DUMP });
      if (answers.every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0)) {
        return answers.filter(({ type }) => type !== NLMSG_DONE).map(({ body }) => body);
      }
    }
    throw new NetlinkError(`${doing}: changed during each of ${dumpAttempts} readings`, "EINTR");
  }

  /** Sends `request` and gives the answers up to the last, the closing one of a dump included; leftovers of an earlier request are passed over. */
  #exchange(doing: string, request: NetlinkRequest): readonly NetlinkMessage[] {
    // A closed number may be another file by now.
    if (!this.#isOpen) throw new NetlinkError(doing, "EBADF");
    const sequence = ++this.#sequence;
    try {
      this.#libc.send(this.#fd, encodeMessage(request, sequence));
      const answers: NetlinkMessage[] = [];
      for (;;) {
        for (const message of this.#receive(doing)) {
          if (message.sequence !== sequence) continue;
          if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) {
            throwOnFailure(doing, decodeStatus(message));
            return message.type === NLMSG_DONE ? [...answers, message] : answers;
          }
          answers.push(message);
        }
      }
    } catch (error) {
      if (error instanceof SystemCallError) throw new NetlinkError(`${doing}: ${error.call}`, error.errno);
      throw error;
    }
  }

  #receive(doing: string): readonly NetlinkMessage[] {
    const length = this.#libc.recv(this.#fd, buffer, MSG_TRUNC);
    if (length > buffer.length) throw new NetlinkError(`${doing}: answer of ${length} bytes`, "EMSGSIZE");
    // A copy: the answers outlive the next receive.
    return decodeMessages(buffer.slice(0, length));
  }
}

function setUp(libc: Libc, fd: number): void {
  const timeout = new Uint8Array(new BigInt64Array([BigInt(receiveTimeoutSeconds), 0n]).buffer);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout);
  for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) {
    libc.setsockopt(fd, SOL_NETLINK, option, encodeU32(1));
  }
}

function widenReceiveBuffer(libc: Libc, fd: number): void {
  const size = encodeU32(4 * receiveBufferBytes);
  try {
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size);
  } catch {
    // Without CAP_NET_ADMIN: as much as net.core.rmem_max allows.
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size);
  }
}
