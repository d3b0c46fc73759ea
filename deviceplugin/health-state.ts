// The health of a device over time: bad at once, good at once, and only after a while for one that keeps changing.
import type { HealthCode, HealthProblem } from "./health.ts";

/** So many times bad within the window make a device unstable: it is good again after it was good for `stableMs`. */
const mostFlaps = 3;
const windowMs = 60_000;
const stableMs = 30_000;

/** What must last before it counts: a pod that is taken down is unknown to the kubelet before it has given its VF back. */
const settleMs: Partial<Readonly<Record<HealthCode, number>>> = { "unknown-owner": 10_000 };

/** The state of one device; times are those of a monotonic clock. */
export interface HealthState {
  /** What the kubelet is told. */
  readonly problem: HealthProblem | undefined;
  /** When it became bad, within the window. */
  readonly flapsMs: readonly number[];
  readonly isUnstable: boolean;
  /** Since when nothing was wrong; `undefined` while something is. */
  readonly goodSinceMs: number | undefined;
  /** Since when something is seen that does not count yet. */
  readonly settlingSinceMs: number | undefined;
  readonly lastReason: string;
}

/** A device that was never looked at. */
export const initialHealth: HealthState = {
  problem: undefined,
  flapsMs: [],
  isUnstable: false,
  goodSinceMs: 0,
  settlingSinceMs: undefined,
  lastReason: "",
};

/** The state after a look at `nowMs` that saw `seen`. */
export function nextHealth(state: HealthState, seen: HealthProblem | undefined, nowMs: number): HealthState {
  const waitMs = seen === undefined ? 0 : (settleMs[seen.code] ?? 0);
  const settlingSinceMs = waitMs === 0 ? undefined : (state.settlingSinceMs ?? nowMs);
  const isSettled = settlingSinceMs === undefined || nowMs - settlingSinceMs >= waitMs;
  const flapsMs = state.flapsMs.filter((atMs) => nowMs - atMs < windowMs);
  const before = { ...state, flapsMs, settlingSinceMs };
  return seen !== undefined && isSettled ? becomeBad(before, seen, nowMs) : becomeGood(before, nowMs);
}

/** When a look may find another state although nothing happens; `undefined` when there is no such time. */
export function nextLookMs({ isUnstable, goodSinceMs, settlingSinceMs }: HealthState): number | undefined {
  const times = [
    isUnstable && goodSinceMs !== undefined ? goodSinceMs + stableMs : undefined,
    settlingSinceMs === undefined ? undefined : settlingSinceMs + Math.max(...Object.values(settleMs)),
  ].filter((atMs) => atMs !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function becomeBad(state: HealthState, seen: HealthProblem, nowMs: number): HealthState {
  const flapsMs = state.goodSinceMs === undefined ? state.flapsMs : [...state.flapsMs, nowMs];
  const isUnstable = state.isUnstable || flapsMs.length >= mostFlaps;
  return { ...state, problem: seen, flapsMs, isUnstable, goodSinceMs: undefined, lastReason: seen.reason };
}

function becomeGood(state: HealthState, nowMs: number): HealthState {
  const goodSinceMs = state.goodSinceMs ?? nowMs;
  if (!state.isUnstable || nowMs - goodSinceMs >= stableMs) {
    return { ...state, problem: undefined, isUnstable: false, goodSinceMs };
  }
  const reason = `unstable: good again after ${stableMs / 1000} s without "${state.lastReason}"`;
  return { ...state, problem: { code: "flapping", reason }, goodSinceMs };
}
