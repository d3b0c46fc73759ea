// Keeps irqbalance off in the background of the passes: one that is busy must not keep a pod waiting for its pins.

import type { Problem } from "../problem.ts";
import { IrqBalanceFinder } from "./finder.ts";
import { keepIrqBalanceOff, type IrqBalanceHost, type KeepOffOutcome } from "./keep-off.ts";

/** How long to wait for irqbalance, and what to call when it is done later than that and there is something new. */
export interface Patience {
  readonly waitMs: number;
  readonly onLate: () => void;
}

/** How long the end of the process waits: an irqbalance whose asker is gone dies of its answer (SIGPIPE). */
const settleMs = 5_000;

/** One conversation at a time. */
export class IrqBalanceKeeper {
  readonly finder: IrqBalanceFinder;
  readonly #host: IrqBalanceHost;
  #run: Promise<void> | undefined;
  #told: KeepOffOutcome["told"];
  #informedPid: number | undefined;
  #problems: readonly Problem[] = [];
  /** Those that the caller heard of last. */
  #known: readonly Problem[] = [];
  #isUnheard = false;
  /** Somebody called while another call's talk was under way: it may be about earlier pins. */
  #isBehind = false;

  constructor(host: IrqBalanceHost) {
    this.#host = host;
    this.finder = new IrqBalanceFinder(host);
  }

  /** What was told since the last call, and what stands in the way. Without `patience` it waits to the end. */
  async keepOff(configure: boolean, patience?: Patience): Promise<KeepOffOutcome> {
    const isFree = this.#run === undefined || (await this.#isDone(this.#run, patience?.waitMs));
    // Of what is under way the caller hears when it is done.
    if (!isFree) {
      this.#isBehind = true;
      return this.#takeOutcome(false);
    }
    this.#isBehind = false;
    const run = this.#start(configure);
    if (await this.#isDone(run, patience?.waitMs)) return this.#takeOutcome(this.#isUnheard);
    // Nothing new wakes nobody: each call asks again, and one that is slow or hangs would never be left alone.
    void run.finally(() => {
      if (this.#hasNews()) patience?.onLate();
    });
    return this.#takeOutcome(false);
  }

  /** Waits a while for what is under way, and for an irqbalance that did not answer in time. */
  async settle(): Promise<void> {
    await this.#isDone(this.#end(), settleMs);
  }

  #takeOutcome(isUnheard: boolean): KeepOffOutcome {
    const told = this.#told;
    this.#told = undefined;
    this.#known = this.#problems;
    return { told, informedPid: this.#informedPid, problems: this.#problems, isUnheard };
  }

  #hasNews(): boolean {
    const areProblemsNew = listMessages(this.#problems) !== listMessages(this.#known);
    return this.#isBehind || this.#told !== undefined || areProblemsNew;
  }

  async #end(): Promise<void> {
    await this.#run;
    await this.#host.localSockets.whenDone();
  }

  async #start(configure: boolean): Promise<void> {
    const work = async (): Promise<void> => {
      try {
        const outcome = await keepIrqBalanceOff(this.#host, { finder: this.finder, configure });
        this.#told = outcome.told ?? this.#told;
        this.#informedPid = outcome.informedPid;
        this.#problems = outcome.problems;
        this.#isUnheard = outcome.isUnheard;
      } finally {
        this.#run = undefined;
      }
    };
    this.#run = work();
    await this.#run;
  }

  async #isDone(run: Promise<void>, waitMs: number | undefined): Promise<boolean> {
    if (waitMs === undefined) {
      await run;
      return true;
    }
    let isDone = false;
    const done = run.then(() => void (isDone = true));
    // Where there is no irqbalance it is done at once, and nothing waits.
    await Promise.race([done, new Promise(setImmediate)]);
    if (isDone) return true;
    const stop = new AbortController();
    const late = this.#host.clock.sleep(waitMs, stop.signal).catch(() => {});
    await Promise.race([done, late]);
    stop.abort();
    return isDone;
  }
}

function listMessages(problems: readonly Problem[]): string {
  return problems.map(({ message }) => message).join("\n");
}
