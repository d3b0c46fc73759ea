// The daemon's loop over a fake node, with what it logs and how long it waits.

import { pino } from "pino";

import { createClock } from "../../host/clock.ts";
import type { Host } from "../../host/host.ts";
import type { Uevents } from "../../host/uevent.ts";
import { createMetrics, type TuningMetrics } from "../../tuning/metrics.ts";
import type { TuningDaemonHost } from "../../tuning/node-watch.ts";
import { pinCheckMs } from "../../tuning/pin-watch.ts";
import { pollMs, reconcile } from "../../tuning/reconciler.ts";
import type { TuningNode } from "./tuning-node.ts";

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly code?: string;
}

export const noUevents: Uevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

/** A running loop; `end` aborts it and waits for its end. */
export interface TuningLoop {
  readonly lines: readonly LogLine[];
  readonly sleepsMs: readonly number[];
  readonly metrics: TuningMetrics;
  readonly passes: () => number;
  end(): Promise<void>;
}

export function startLoop(
  node: TuningNode,
  change: Partial<TuningDaemonHost> = {},
  monotonicMs = (): number => 0,
): TuningLoop {
  const stop = new AbortController();
  const lines: LogLine[] = [];
  const sleepsMs: number[] = [];
  const metrics = createMetrics(node.host);
  const real = createClock(node.host.files);
  const clock: Host["clock"] = {
    ...real,
    bootId: () => node.fake.clock.bootId(),
    monotonicMs,
    sleep: (ms, signal) => {
      if (ms === pinCheckMs) return real.sleep(5, signal);
      sleepsMs.push(ms);
      return real.sleep(ms === pollMs ? pollMs : 1, signal);
    },
  };
  let passes = 0;
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  const options = { log, metrics, signal: stop.signal, onPass: () => void (passes += 1) };
  const ended = reconcile({ ...node.host, uevents: noUevents, ...change, clock }, options);
  return {
    lines,
    sleepsMs,
    metrics,
    passes: () => passes,
    async end() {
      stop.abort();
      await ended;
    },
  };
}
