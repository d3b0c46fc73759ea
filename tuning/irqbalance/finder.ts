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
  #nextScanMs = -Infinity;

  constructor(host: Pick<Host, "files" | "paths" | "clock">) {
    this.#host = host;
  }

  /** The one that was found before, while it runs; else another. */
  find(): IrqBalanceProcess | undefined {
    if (!this.#isFoundRunning()) this.#found = listServedIrqBalance(this.#host)[0] ?? this.#scan();
    return this.#found;
  }

  /** Whether another one runs than was found last: one has ended, or has come where none was. Costs a few short reads. */
  hasChanged(): boolean {
    if (this.#found !== undefined) return !this.#isFoundRunning();
    return listServedIrqBalance(this.#host).length > 0;
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
