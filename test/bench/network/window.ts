// What many processes did within one window of wall-clock time, whenever each of them started and ended.

import { median } from "simple-statistics";

import type { Latency, ProcessOutput } from "./netperf.ts";

/** Unix time. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface WindowSum {
  /** Of all processes together, per second of the window. */
  readonly rate: number;
  readonly processes: number;
  /** Processes that were not under way yet when the window began. */
  readonly late: number;
  /** Processes that said nothing in the last part of it: ended early, or waiting for a packet that was lost. */
  readonly stalled: number;
  /** Of the process in the middle, over its whole run; `undefined` when none came to its end. */
  readonly latency: Latency | undefined;
}

/** An interim result is due each half second; busy processes tell up to some seconds later. */
const silentMs = 3_000;

/** Sums the interim results, each with the share of it that lies in the window. */
export function sumWindow(outputs: readonly ProcessOutput[], window: Window): WindowSum {
  const lengthMs = window.toMs - window.fromMs;
  const rates = outputs.map(({ interim }) =>
    interim.reduce((sum, { endMs, seconds, rate }) => {
      const from = Math.max(endMs - seconds * 1000, window.fromMs);
      return sum + rate * Math.max(0, Math.min(endMs, window.toMs) - from);
    }, 0),
  );
  const latencies = outputs.flatMap(({ latency }) => (latency === undefined ? [] : [latency]));
  return {
    rate: rates.reduce((sum, rate) => sum + rate, 0) / lengthMs,
    processes: outputs.length,
    late: outputs.filter(({ interim: [first] }) => !isUnderWay(first, window)).length,
    stalled: outputs.filter(({ interim }) => (interim.at(-1)?.endMs ?? 0) < window.toMs - silentMs).length,
    latency: middle(latencies),
  };
}

function isUnderWay(first: ProcessOutput["interim"][number] | undefined, { fromMs }: Window): boolean {
  return first !== undefined && first.endMs - first.seconds * 1000 <= fromMs;
}

function middle(latencies: readonly Latency[]): Latency | undefined {
  if (latencies.length === 0) return undefined;
  const of = (pick: (latency: Latency) => number): number => median(latencies.map(pick));
  return {
    meanUs: of(({ meanUs }) => meanUs),
    p50Us: of(({ p50Us }) => p50Us),
    p90Us: of(({ p90Us }) => p90Us),
    p99Us: of(({ p99Us }) => p99Us),
  };
}
