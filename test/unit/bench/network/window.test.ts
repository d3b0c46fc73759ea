// Tests test/bench/network/window.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Latency, ProcessOutput } from "../../../bench/network/netperf.ts";
import { sumWindow } from "../../../bench/network/window.ts";

const window = { fromMs: 10_000, toMs: 20_000 };

/** A process that did `rate` all the time between two times, told each `stepMs`. */
function steady(rate: number, fromMs: number, toMs: number, stepMs = 500): ProcessOutput {
  const interim = [];
  for (let endMs = fromMs + stepMs; endMs <= toMs; endMs += stepMs)
    interim.push({ endMs, seconds: stepMs / 1000, rate });
  return { interim, latency: undefined };
}

test("processes that started at different times count alike within the window", () => {
  const outputs = [steady(100, 9_100, 23_000), steady(50, 9_990, 24_000)];
  expect(sumWindow(outputs, window)).toMatchObject({ rate: 150, processes: 2, late: 0, stalled: 0 });
});

test("who comes late or falls silent counts for what was done, and is told", () => {
  const outputs = [steady(100, 15_000, 23_000), steady(100, 9_000, 15_000)];
  expect(sumWindow(outputs, window)).toMatchObject({ rate: 100, late: 1, stalled: 1 });
});

test("a process without any output is late and stalled, and does nothing", () => {
  expect(sumWindow([{ interim: [], latency: undefined }], window)).toMatchObject({
    rate: 0,
    late: 1,
    stalled: 1,
  });
});

test("the sum does not depend on how often a process tells, nor on the phase", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 900 }), fc.integer({ min: 0, max: 999 }), (stepMs, phase) => {
      const { rate } = sumWindow([steady(1000, 8_000 + phase, 23_000 + phase, stepMs)], window);
      expect(rate).toBeCloseTo(1000, 6);
    }),
  );
});

function latency(us: number): Latency {
  return { meanUs: us, p50Us: us, p90Us: us * 2, p99Us: us * 3 };
}

test("the latency is that of the process in the middle", () => {
  const outputs = [10, 1000, 20].map((us) => ({ interim: [], latency: latency(us) }));
  expect(sumWindow(outputs, window).latency).toEqual(latency(20));
});
