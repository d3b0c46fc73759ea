// Finds what no event tells of by looking now and then: pins that someone else undid, an irqbalance that knows of none, other CPUs of pods.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { OpenFile } from "../host/open-file.ts";
import { Wakeup } from "../host/wakeup.ts";
import { parseCpuList } from "../sriov/cpu-list.ts";
import { openAffinity } from "../sriov/vectors.ts";
import type { PassReport } from "./pass.ts";
import { only } from "./pin-plan.ts";
import { listPlacedPins } from "./placed-pins.ts";

/** Between two looks: what is undone is to be back within 5 s. One look is one system call for each pin. */
export const pinCheckMs = 2_500;

/** Files that stay open between looks; those of further pins are opened each time: a process may have few descriptors. */
const mostFiles = 512;

type PinHost = Pick<Host, "files" | "paths" | "clock">;

/** Something else that pins go by: whether it is another one than a pass, or the call before, saw. */
interface Other {
  hasChanged(): boolean;
}

/**
 * Looks while there are pins to look at; none of them is read without a pass that left it in its place. Their files stay open: to
 * open, read and close each of them every time is most of what a daemon costs that has nothing to do.
 */
export class PinWatch implements Disposable {
  readonly #host: PinHost;
  readonly #others: readonly Other[];
  readonly #onUndone: () => void;
  readonly #mostFiles: number;
  /** CPU by IRQ number. */
  #pins: ReadonlyMap<number, number> = new Map();
  /** By IRQ number, of pins that were looked at. */
  readonly #files = new Map<number, OpenFile>();
  #end: AbortController | undefined;

  constructor(host: PinHost, others: readonly Other[], onUndone: () => void, most = mostFiles) {
    this.#host = host;
    this.#others = others;
    this.#onUndone = onUndone;
    this.#mostFiles = most;
  }

  /** Looks at the pins that this pass left in their place from now on, and at no others. */
  follow(report: PassReport): void {
    this.#pins = new Map(listPlacedPins(report).map(({ irq, cpu }) => [irq, cpu] as const));
    this.#closeOthers();
    if (this.#pins.size === 0) this[Symbol.dispose]();
    else if (this.#end === undefined) {
      this.#end = new AbortController();
      void this.#keepLooking(this.#end.signal);
    }
  }

  [Symbol.dispose](): void {
    this.#end?.abort();
    this.#end = undefined;
    this.#pins = new Map();
    this.#closeOthers();
  }

  async #keepLooking(signal: AbortSignal): Promise<void> {
    const pause = new Wakeup(this.#host);
    while (!signal.aborted) {
      await pause.wait(pinCheckMs, signal);
      if (!signal.aborted && this.#needsPass()) {
        // The pass that this leads to tells what to look at then.
        this.#pins = new Map();
        this.#closeOthers();
        this.#onUndone();
      }
    }
  }

  #needsPass(): boolean {
    if (this.#pins.size === 0) return false;
    if (this.#others.some(hasChanged)) return true;
    for (const [irq, cpu] of this.#pins) if (!this.#isOn(irq, cpu)) return true;
    return false;
  }

  // What can't be read is for a pass to judge.
  #isOn(irq: number, cpu: number): boolean {
    try {
      const text = this.#read(irq);
      return text !== undefined && (text === `${cpu}\n` || only(parseCpuList(text)) === cpu);
    } catch {
      return false;
    }
  }

  #read(irq: number): string | undefined {
    const kept = this.#files.get(irq);
    if (kept !== undefined) return kept.readText();
    const file = openAffinity(this.#host, irq);
    if (file !== undefined && this.#files.size < this.#mostFiles) {
      this.#files.set(irq, file);
      return file.readText();
    }
    using _once = file;
    return file?.readText();
  }

  #closeOthers(): void {
    for (const [irq, file] of this.#files) {
      if (this.#pins.has(irq)) continue;
      file[Symbol.dispose]();
      this.#files.delete(irq);
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
