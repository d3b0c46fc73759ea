// Finds the running irqbalance, without a look at every process of the machine each time.

import type { Host } from "../../host/host.ts";
import {
  type IrqBalanceProcess,
  listIrqBalance,
  listServedIrqBalance,
  readAgeMs,
  readIrqBalance,
} from "./process.ts";

/** Between two looks at every process, which find one that has no socket in its usual place. */
const scanEveryMs = 30_000;

/** Remembers what it found; a new one looks at every process at first. */
export class IrqBalanceFinder {
  readonly #host: Pick<Host, "files" | "paths" | "clock">;
  #found: IrqBalanceProcess | undefined;
  /** What `hasChanged` told since the last `find`. */
  #told: string | undefined;
  #nextScanMs = -Infinity;

  constructor(host: Pick<Host, "files" | "paths" | "clock">) {
    this.#host = host;
  }

  /** The one that was found before, while it runs; else another. */
  find(): IrqBalanceProcess | undefined {
    this.#told = undefined;
    if (!this.#isFoundRunning()) this.#found = listServedIrqBalance(this.#host)[0] ?? this.#scan();
    return this.#found;
  }

  /**
   * Whether another one runs than was found last: one has ended, or has come where none was. Each is told once, as whoever hears
   * of it may not get so far as to look for it. Costs a few short reads.
   */
  hasChanged(): boolean {
    if (this.#isFoundRunning()) return false;
    const change = this.#found ?? listServedIrqBalance(this.#host)[0];
    const told = change && `${change.pid} ${change.startTicks}`;
    if (told === this.#told) return false;
    this.#told = told;
    return told !== undefined;
  }

  /** How long the one that was found last runs; Infinity where that cannot be told. */
  ageMs(): number {
    return this.#found === undefined ? Infinity : readAgeMs(this.#host, this.#found);
  }

  #isFoundRunning(): boolean {
    if (this.#found === undefined) return false;
    const { pid, startTicks } = this.#found;
    return readIrqBalance(this.#host, pid)?.startTicks === startTicks;
  }

  #scan(): IrqBalanceProcess | undefined {
    const nowMs = this.#host.clock.monotonicMs();
    if (nowMs < this.#nextScanMs) return undefined;
    this.#nextScanMs = nowMs + scanEveryMs;
    return listIrqBalance(this.#host)[0];
  }
}
