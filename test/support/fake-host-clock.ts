// The fake node's clock: stands still while the program works, and jumps to the next thing due when it sleeps.

import type { Clock } from "../../host/clock.ts";

export interface FakeClock extends Clock {
  /** Runs `then` when this much fake time has passed. */
  after(ms: number, then: () => void): void;
  /** Lets time pass, running all that falls due. */
  advance(ms: number): Promise<void>;
  /** A reboot: another boot id. */
  reboot(): void;
}

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that starts at 2026-01-01T00:00:00Z. */
export function createFakeClock(): FakeClock {
  const startMs = Date.UTC(2026, 0, 1);
  let nowMs = startMs;
  let sleepers = 0;
  let boots = 1;
  let isPumping = false;
  let timers: readonly Timer[] = [];

  function after(ms: number, run: () => void): void {
    timers = [...timers, { dueMs: nowMs + ms, run }].toSorted((a, b) => a.dueMs - b.dueMs);
  }
  function runNext(untilMs: number): boolean {
    const next = timers.at(0);
    if (next === undefined || next.dueMs > untilMs) return false;
    timers = timers.slice(1);
    nowMs = Math.max(nowMs, next.dueMs);
    next.run();
    return true;
  }
  function pump(): void {
    if (isPumping) return;
    isPumping = true;
    setImmediate(() => {
      isPumping = false;
      if (sleepers > 0 && runNext(Number.POSITIVE_INFINITY)) pump();
    });
  }
  async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      let isOver = false;
      function end(settle: () => void): void {
        if (isOver) return;
        isOver = true;
        sleepers -= 1;
        settle();
      }
      sleepers += 1;
      after(ms, () => end(resolve));
      signal?.addEventListener("abort", () => end(() => reject(signal.reason as Error)), { once: true });
      pump();
    });
  }
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    bootId: () => `b0070000-0000-4000-8000-${String(boots).padStart(12, "0")}`,
    sleep,
    after,
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      while (runNext(untilMs)) await new Promise<void>((resolve) => void setImmediate(resolve));
      nowMs = untilMs;
    },
    reboot: () => {
      boots += 1;
    },
  };
}
