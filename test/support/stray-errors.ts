// Errors that no caller gets to see: promises that are rejected with nobody waiting, and throws outside any call.

import { setImmediate } from "node:timers/promises";

const events = ["unhandledRejection", "uncaughtException"] as const;

/** Collects them, from all of the process, until disposed. */
export class StrayErrors implements Disposable {
  readonly #found: unknown[] = [];
  readonly #add = (error: unknown): void => void this.#found.push(error);

  constructor() {
    for (const event of events) process.on(event, this.#add);
  }

  /** Throws the first that came since it was last asked. They are told of once all that can go on without waiting has done so. */
  async throwAny(): Promise<void> {
    await setImmediate();
    const found = this.#found.splice(0);
    if (found.length > 0) throw new Error("an error that nobody waits for", { cause: found[0] });
  }

  [Symbol.dispose](): void {
    for (const event of events) process.off(event, this.#add);
  }
}
