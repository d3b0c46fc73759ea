// Time, as a value that tests can replace.

import { setTimeout as wait } from "node:timers/promises";

import { readBootId } from "./boot-id.ts";
import type { Files } from "./files.ts";

export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number;
  /** Monotonic milliseconds, for durations. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** The kernel's boot id (`/proc/sys/kernel/random/boot_id`): the same as long as the process lives. */
  bootId(): string;
}

/** The real clock; `bootId` is read below `proc`, once. Throws SystemCallError when it is not there. */
export function createClock(files: Pick<Files, "readText">, proc = "/proc"): Clock {
  let bootId: string | undefined;
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      await wait(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
        throw signal?.aborted === true ? signal.reason : error;
      });
    },
    bootId: () => (bootId ??= readBootId(files, proc)),
  };
}
