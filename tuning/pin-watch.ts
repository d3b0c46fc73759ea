// Finds what no event tells of by looking now and then: pins that someone else undid, an irqbalance that knows of none, other CPUs of pods.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { Wakeup } from "../host/wakeup.ts";
import { readAffinity } from "../sriov/vectors.ts";
import type { PassReport } from "./pass.ts";
import { only } from "./pin-plan.ts";
import { listPlacedPins } from "./placed-pins.ts";

/** Between two looks: what is undone is to be back within 5 s. One look is one short read for each pin. */
export const pinCheckMs = 2_500;

type PinHost = Pick<Host, "files" | "paths" | "clock">;

/** Something else that pins go by: whether it is another one than a pass, or the call before, saw. */
interface Other {
  hasChanged(): boolean;
}

/** Looks while there are pins to look at; none of them is read without a pass that left it in its place. */
export class PinWatch implements Disposable {
  readonly #host: PinHost;
  readonly #others: readonly Other[];
  readonly #onUndone: () => void;
  /** CPU by IRQ number. */
  #pins: ReadonlyMap<number, number> = new Map();
  #end: AbortController | undefined;

  constructor(host: PinHost, others: readonly Other[], onUndone: () => void) {
    this.#host = host;
    this.#others = others;
    this.#onUndone = onUndone;
  }

  /** Looks at the pins that this pass left in their place from now on, and at no others. */
  follow(report: PassReport): void {
    this.#pins = new Map(listPlacedPins(report).map(({ irq, cpu }) => [irq, cpu] as const));
    if (this.#pins.size === 0) this[Symbol.dispose]();
    else if (this.#end === undefined) {
      this.#end = new AbortController();
      void this.#keepLooking(this.#end.signal);
    }
  }

  [Symbol.dispose](): void {
    this.#end?.abort();
    this.#end = undefined;
  }

  async #keepLooking(signal: AbortSignal): Promise<void> {
    const pause = new Wakeup(this.#host);
    while (!signal.aborted) {
      await pause.wait(pinCheckMs, signal);
      if (!signal.aborted && this.#needsPass()) {
        // The pass that this leads to tells what to look at then.
        this.#pins = new Map();
        this.#onUndone();
      }
    }
  }

  #needsPass(): boolean {
    if (this.#pins.size === 0) return false;
    return this.#others.some(hasChanged) || [...this.#pins].some(([irq, cpu]) => !this.#isOn(irq, cpu));
  }

  // What can't be read is for a pass to judge.
  #isOn(irq: number, cpu: number): boolean {
    try {
      return only(readAffinity(this.#host, irq)) === cpu;
    } catch {
      return false;
    }
  }
}

// What keeps it from being found is told by the passes, at the poll at the latest.
function hasChanged(other: Other): boolean {
  try {
    return other.hasChanged();
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}
