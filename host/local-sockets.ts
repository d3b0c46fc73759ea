// One question to a local program, and its answer, over a stream socket (AF_UNIX).

import * as fs from "node:fs";
import { basename, dirname } from "node:path";

import type { Clock } from "./clock.ts";
import { SystemCallError } from "./errors.ts";
import { absentAs } from "./file-errors.ts";
import type { Libc } from "./libc.ts";

export interface LocalSockets {
  /**
   * Connects to `address`, sends `message` in one write and gives what comes back until the other side closes. `address` is
   * an absolute path, or a name that starts with NUL (abstract, of this network namespace). The kernel tells our user to a
   * receiver that wants to know it. SystemCallError: ENOENT or ECONNREFUSED where nobody listens, ETIMEDOUT; after that the
   * connection stays until the other side is done with it, as a program may die of an answer that nobody takes (SIGPIPE).
   * Source: unix(7).
   */
  ask(address: string, message: string, options: { readonly timeoutMs: number }): Promise<string>;
  /** Whether somebody listens at `address`: connects, and hangs up without a word. Throws SystemCallError, as for EACCES. */
  isServed(address: string): boolean;
  /** Resolves when no connection is left that stayed after ETIMEDOUT: a process that ends before takes its ends with it. */
  whenDone(): Promise<void>;
}

const AF_UNIX = 1;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
/** sizeof(sun_path). */
const longestPathBytes = 108;
const longestAnswerBytes = 1 << 20;
/** Between two looks at what the other side makes of it: it answers in a few milliseconds, or is busy for long. */
const lookMs = { first: 2, most: 50 } as const;
/** Part of the time that it was waited for: an answer is taken so much later than it came at most. */
const lookShare = 0.1;
/** The same where nobody waits for the answer any more. */
const lateLookMs = 1_000;

/** Sockets of this process's namespaces. None of them blocks the thread. */
export function createLocalSockets({
  libc,
  clock,
}: {
  readonly libc: Libc;
  readonly clock: Clock;
}): LocalSockets {
  const late = new Set<Promise<void>>();
  return {
    isServed(address) {
      using near = bringNear(address);
      if (near === undefined) return false;
      const fd = libc.socket(AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
      try {
        libc.connect(fd, encodeAddress(near.address));
        return true;
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        // A queue that is full is somebody's.
        if (error.errno === "EAGAIN") return true;
        if (error.errno === "ENOENT" || error.errno === "ECONNREFUSED") return false;
        throw new SystemCallError(error.call, printable(address), error.errno, { cause: error });
      } finally {
        fs.closeSync(fd);
      }
    },
    async ask(address, message, { timeoutMs }) {
      const deadlineMs = clock.monotonicMs() + timeoutMs;
      const name = encodeAddress(address);
      const fd = libc.socket(AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
      let isAsked = false;
      try {
        await patiently(clock, deadlineMs, () => libc.connect(fd, name));
        await patiently(clock, deadlineMs, () => libc.send(fd, Buffer.from(message)));
        isAsked = true;
        const answer = await receive(fd, deadlineMs);
        fs.closeSync(fd);
        return answer;
      } catch (error) {
        const isLate = isAsked && error instanceof SystemCallError && error.errno === "ETIMEDOUT";
        if (isLate) keepUntilEnd(fd);
        else fs.closeSync(fd);
        if (!(error instanceof SystemCallError)) throw error;
        throw new SystemCallError(error.call, printable(address), error.errno, { cause: error });
      }
    },
    async whenDone() {
      await Promise.all(late);
    },
  };

  function keepUntilEnd(fd: number): void {
    const end = waitForEnd(fd).finally(() => late.delete(end));
    late.add(end);
  }

  async function waitForEnd(fd: number): Promise<void> {
    await receive(fd, Infinity).catch(() => {});
    fs.closeSync(fd);
  }

  async function receive(fd: number, deadlineMs: number): Promise<string> {
    const parts: Uint8Array[] = [];
    const part = new Uint8Array(16_384);
    for (let total = 0; ;) {
      const length = await patiently(clock, deadlineMs, () => libc.recv(fd, part, 0));
      if (length === 0) return Buffer.concat(parts).toString("utf8");
      total += length;
      if (total > longestAnswerBytes) throw new SystemCallError("recv", "", "EMSGSIZE");
      parts.push(part.slice(0, length));
    }
  }
}

/** An address that fits: of a path that is too long its name below a descriptor of its folder; `undefined` where that is missing. */
function bringNear(address: string): (Disposable & { readonly address: string }) | undefined {
  const isLong = address.startsWith("/") && Buffer.byteLength(address) >= longestPathBytes;
  if (!isLong) return { address, [Symbol.dispose]: () => {} };
  const { O_RDONLY, O_DIRECTORY } = fs.constants;
  const fd = absentAs(undefined, "open", address, () =>
    fs.openSync(dirname(address), O_RDONLY | O_DIRECTORY),
  );
  if (fd === undefined) return undefined;
  return {
    address: `/proc/self/fd/${fd}/${basename(address)}`,
    [Symbol.dispose]: () => fs.closeSync(fd),
  };
}

/** Repeats a call that would block until it does not. */
async function patiently<T>(clock: Clock, deadlineMs: number, call: () => T): Promise<T> {
  const startedMs = clock.monotonicMs();
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.errno !== "EAGAIN") throw error;
      if (clock.monotonicMs() >= deadlineMs) throw new SystemCallError(error.call, "", "ETIMEDOUT");
    }
    const waitedMs = clock.monotonicMs() - startedMs;
    const soonMs = Math.min(lookMs.most, Math.max(lookMs.first, lookShare * waitedMs));
    await clock.sleep(deadlineMs === Infinity ? lateLookMs : soonMs);
  }
}

/** struct sockaddr_un; a path has a NUL behind it, an abstract name is as long as it is. */
function encodeAddress(address: string): Uint8Array {
  const bytes = Buffer.from(address);
  const isAbstract = address.startsWith("\0");
  if (bytes.length + (isAbstract ? 0 : 1) > longestPathBytes)
    throw new SystemCallError("connect", printable(address), "ENAMETOOLONG");
  return Buffer.concat([
    new Uint8Array(new Uint16Array([AF_UNIX]).buffer),
    bytes,
    ...(isAbstract ? [] : [new Uint8Array(1)]),
  ]);
}

// As ss(8) and /proc/net/unix print abstract names.
function printable(address: string): string {
  return address.replaceAll("\0", "@");
}
