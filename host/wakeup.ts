// A doze that others can end: the loop of a daemon sleeps in it until something happened or the time is over.
import type { Host } from "./host.ts";

/** `wake` before `wait` is not lost: the next `wait` returns at once. One waiter at a time. */
export class Wakeup {
  readonly #clock: Host["clock"];
  #pending = false;
  #sleeper: AbortController | undefined;

  constructor(host: Pick<Host, "clock">) {
    this.#clock = host.clock;
  }

  wake(): void {
    this.#pending = true;
    this.#sleeper?.abort();
  }

  /** Returns when woken, after `timeoutMs`, or when `signal` is aborted: the caller looks at it. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      this.#sleeper = new AbortController();
      const end = AbortSignal.any([signal, this.#sleeper.signal]);
      try {
        await this.#clock.sleep(timeoutMs, end);
      } catch (error) {
        if (!end.aborted) throw error;
      } finally {
        this.#sleeper = undefined;
      }
    }
    this.#pending = false;
  }
}
