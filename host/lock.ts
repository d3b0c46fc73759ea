// Locks between processes: flock on files below /run/virtfn/lock, never unlinked, released when the holder dies.

import * as fs from "node:fs";
import { join } from "node:path";

import type { Clock } from "./clock.ts";
import { LockTimeoutError, SystemCallError } from "./errors.ts";
import { attempt } from "./file-errors.ts";
import type { Libc } from "./libc.ts";

/** A held lock; disposing it releases it. */
export interface HeldLock extends Disposable {
  readonly path: string;
}

/** Default waiting time for a lock. */
export const lockTimeoutMs = 30_000;

export interface Locks {
  /**
   * Takes the lock `name` (a PCI address, or `pick`): non-blocking flock with event-loop back-off, at most `timeoutMs`
   * (default 30 s, 0 tries once). Throws LockTimeoutError naming the holder's pid.
   */
  acquire(name: string, options?: { readonly timeoutMs?: number }): Promise<HeldLock>;
}

const LOCK_EX_NB = 2 | 4;
const usualPauseMs = 50;

/** Locks as files in `folder` (made when missing, 0700). */
export function createLocks(host: { readonly libc: Libc; readonly clock: Clock }, folder: string): Locks {
  return {
    acquire: async (name, { timeoutMs = lockTimeoutMs } = {}) => {
      const path = lockPath(folder, name);
      const fd = openLockFile(folder, path);
      try {
        await waitForLock(host, path, fd, timeoutMs);
        writeHolder(fd);
      } catch (error) {
        fs.closeSync(fd);
        throw error;
      }
      return hold(path, fd);
    },
  };
}

function lockPath(folder: string, name: string): string {
  if (!/^[\w.:-]+$/.test(name)) throw new SystemCallError("open", `lock ${JSON.stringify(name)}`, "EINVAL");
  return join(folder, name);
}

function openLockFile(folder: string, path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
  return attempt("open", path, () => {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  });
}

/**
 * flock in the kernel would block the one thread, so it is tried again and again: first soon, then every 50 ms or so, and more
 * rarely the longer it takes, so that a crowd that waits leaves the CPUs to the holder.
 */
async function waitForLock(
  { libc, clock }: { readonly libc: Libc; readonly clock: Clock },
  path: string,
  fd: number,
  timeoutMs: number,
): Promise<void> {
  const startMs = clock.monotonicMs();
  for (let pauseMs = 1; !tryLock(libc, fd);) {
    const waitedMs = clock.monotonicMs() - startMs;
    const leftMs = timeoutMs - waitedMs;
    if (leftMs <= 0) throw new LockTimeoutError(path, timeoutMs, findHolder(path, fd));
    await clock.sleep(Math.min(leftMs, pauseMs * (0.5 + Math.random() / 2)));
    pauseMs = Math.min(pauseMs * 2, Math.max(usualPauseMs, waitedMs / 10));
  }
}

function tryLock(libc: Libc, fd: number): boolean {
  try {
    libc.flock(fd, LOCK_EX_NB);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === "EAGAIN") return false;
    throw error;
  }
}

function writeHolder(fd: number): void {
  try {
    // Of a longer number before, the end may stay behind the first line.
    fs.writeSync(fd, `${process.pid}\n`, 0);
  } catch {
    // A hint only: a full disk must not keep anyone from a lock, least of all who wants to give something back.
  }
}

function hold(path: string, fd: number): HeldLock {
  let isHeld = true;
  return {
    path,
    [Symbol.dispose]: () => {
      if (isHeld) fs.closeSync(fd);
      isHeld = false;
    },
  };
}

/** The kernel knows the true holder (proc_locks(5)); the pid in the file is a hint for where that is not visible. */
function findHolder(path: string, fd: number): number | undefined {
  try {
    const { ino, dev } = fs.fstatSync(fd, { bigint: true });
    const held = fs
      .readFileSync("/proc/locks", "utf8")
      .matchAll(/^\d+: FLOCK +\w+ +\w+ +(\d+) (\w+:\w+:\d+) /gm);
    const owner = held.find(([, , file]) => file === `${formatDevice(dev)}:${ino}`)?.[1];
    const pid = Number.parseInt(owner ?? fs.readFileSync(path, "utf8"), 10);
    return pid > 0 && fs.existsSync(`/proc/${pid}`) ? pid : undefined;
  } catch {
    // Who holds it is for the message only.
    return undefined;
  }
}

// Inodes alone are no identity: each tmpfs counts its own. Source: Linux fs/locks.c, lock_get_status; new_decode_dev.
function formatDevice(dev: bigint): string {
  const [major, minor] = [(dev >> 8n) & 0xfffn, (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)];
  return [major, minor].map((number) => number.toString(16).padStart(2, "0")).join(":");
}
