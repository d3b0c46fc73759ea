// Pins that something undoes again and again: they rest, longer each time, instead of being fought over.

import type { Host } from "../host/host.ts";
import type { ContestedPin, Opponent } from "../sriov/contested-pins.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { irqKey } from "../sriov/placement.ts";

/** A pin that is undone more often than this within the window is contested. */
const toleratedUndoings = 3;
const windowMs = 120_000;
const firstRestMs = 60_000;
const longestRestMs = 3_600_000;
/** So long after a rest without another undoing it is contested no more. */
const stableMs = 600_000;

export interface ContestChange {
  readonly pin: ContestedPin;
  readonly is: "contested" | "over";
}

/** `causes`: the undoings that it began with; none once it was undone again, or where another process knows them. */
interface Contest {
  readonly pin: ContestedPin;
  readonly restsUntilMs: number;
  readonly causes: readonly number[];
}

/** Times are of the monotonic clock. */
export class Contests {
  readonly #clock: Host["clock"];
  /** When pins were undone that are not contested, by irqKey. */
  readonly #undoings = new Map<string, readonly number[]>();
  readonly #contests = new Map<string, Contest>();
  /** The irqbalance that was told last. */
  #toldPid: number | undefined;

  /** `known`: what a process before this one left to rest; `toldPid`: the irqbalance that was told by it. */
  constructor({ clock }: Pick<Host, "clock">, known: readonly ContestedPin[], toldPid?: number) {
    this.#clock = clock;
    this.#toldPid = toldPid;
    for (const pin of known) {
      // The time of day may have been set back since.
      const leftMs = Math.min(Date.parse(pin.restsUntil) - clock.nowMs(), 1_000 * pin.restSeconds);
      this.#contests.set(irqKey(pin), { pin, restsUntilMs: clock.monotonicMs() + leftMs, causes: [] });
    }
  }

  /** Whether the pin is to be left alone now. */
  isResting(vf: PciAddress, msiIndex: number): boolean {
    const contest = this.#contests.get(irqKey({ vf, msiIndex }));
    return contest !== undefined && this.#clock.monotonicMs() < contest.restsUntilMs;
  }

  /** When the next of those that rest is to be pinned again; `undefined` while none rests. */
  nextRestEndMs(): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const ends = [...this.#contests.values()].map(({ restsUntilMs }) => restsUntilMs);
    const next = Math.min(...ends.filter((atMs) => atMs > nowMs));
    return next === Infinity ? undefined : next;
  }

  /** Notes what was undone since the last call, and what has been left in peace; `guess` tells who undid a pin. */
  add(
    undone: ReadonlyMap<PciAddress, readonly number[]>,
    guess: (vf: PciAddress, msiIndex: number) => Opponent,
  ): readonly ContestChange[] {
    const begun = [...undone].flatMap(([vf, indexes]) =>
      indexes.flatMap((msiIndex): readonly ContestChange[] => {
        const pin = this.#undo(vf, msiIndex, guess);
        return pin === undefined ? [] : [{ pin, is: "contested" }];
      }),
    );
    return [...begun, ...this.#endStable()];
  }

  /**
   * What was undone from an irqbalance's start until it was told for the first time is no fight: it did not know. `ageMs`: how long
   * it runs. Gives those that are over, since they began with that.
   */
  forgive(irqBalancePid: number, ageMs: number): readonly ContestChange[] {
    if (irqBalancePid === this.#toldPid) return [];
    this.#toldPid = irqBalancePid;
    const startMs = this.#clock.monotonicMs() - ageMs;
    const before = (times: readonly number[]): readonly number[] => times.filter((atMs) => atMs < startMs);
    for (const [key, times] of this.#undoings) this.#undoings.set(key, before(times));
    const forgiven = [...this.#contests].filter(([, { causes }]) => before(causes).length < causes.length);
    for (const [key, { causes }] of forgiven) {
      this.#contests.delete(key);
      this.#undoings.set(key, before(causes));
    }
    return forgiven.map(([, { pin }]) => ({ pin, is: "over" }));
  }

  /** All that are contested, those on trial included. */
  list(): readonly ContestedPin[] {
    return [...this.#contests.values()].map(({ pin }) => pin);
  }

  /** Forgets VFs that are not in use any more. */
  keepOnly(vfs: ReadonlySet<string>): void {
    for (const memory of [this.#undoings, this.#contests])
      for (const key of memory.keys()) if (!vfs.has(key.split("#", 1)[0] ?? "")) memory.delete(key);
  }

  #undo(vf: PciAddress, msiIndex: number, guess: (vf: PciAddress, msiIndex: number) => Opponent) {
    const key = irqKey({ vf, msiIndex });
    const nowMs = this.#clock.monotonicMs();
    const before = this.#contests.get(key)?.pin;
    const recent = [...(this.#undoings.get(key) ?? []).filter((atMs) => nowMs - atMs < windowMs), nowMs];
    if (before === undefined && recent.length <= toleratedUndoings) {
      this.#undoings.set(key, recent);
      return undefined;
    }
    this.#undoings.delete(key);
    const restMs = before === undefined ? firstRestMs : Math.min(before.restSeconds * 2_000, longestRestMs);
    const pin: ContestedPin = {
      vf,
      msiIndex,
      by: guess(vf, msiIndex),
      undone: before === undefined ? recent.length : before.undone + 1,
      restSeconds: restMs / 1_000,
      restsUntil: new Date(this.#clock.nowMs() + restMs).toISOString(),
    };
    const causes = before === undefined ? recent : [];
    this.#contests.set(key, { pin, restsUntilMs: nowMs + restMs, causes });
    return pin;
  }

  #endStable(): readonly ContestChange[] {
    const nowMs = this.#clock.monotonicMs();
    const stable = [...this.#contests].filter(([, { restsUntilMs }]) => nowMs - restsUntilMs >= stableMs);
    for (const [key] of stable) this.#contests.delete(key);
    return stable.map(([, { pin }]) => ({ pin, is: "over" }));
  }
}
