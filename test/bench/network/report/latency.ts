// Latency on an axis of nines: the 90th percentile is one nine, the 99th two.

import * as Plot from "@observablehq/plot";
import { median } from "simple-statistics";

import type { Latency } from "../netperf.ts";
import type { Results } from "../results.ts";
import type { TestName } from "../test-name.ts";
import { draw } from "./draw.ts";

const points: readonly {
  readonly name: string;
  readonly nines: number;
  readonly of: (l: Latency) => number;
}[] = [
  { name: "50 %", nines: Math.log10(2), of: ({ p50Us }) => p50Us },
  { name: "90 %", nines: 1, of: ({ p90Us }) => p90Us },
  { name: "99 %", nines: 2, of: ({ p99Us }) => p99Us },
];

/** `undefined` where no process told its latencies. */
export function drawLatency({ measurements, options }: Results, test: TestName): string | undefined {
  const lines = options.variants.flatMap((variant) => {
    const own = measurements.flatMap((one) =>
      one.test === test && one.variant === variant && one.latency !== undefined ? [one.latency] : [],
    );
    return own.length === 0
      ? []
      : points.map(({ nines, of }) => ({ variant, nines, us: Math.max(0.1, median(own.map(of))) }));
  });
  if (lines.length === 0) return undefined;
  return draw({
    width: 560,
    height: 280,
    marginLeft: 60,
    marginTop: 24,
    ariaLabel: `Latency, ${test}`,
    x: {
      label: "share of transactions that were as fast →",
      ticks: points.map(({ nines }) => nines),
      tickFormat: (nines: number) => points.find((point) => point.nines === nines)?.name ?? "",
    },
    y: { label: "↑ µs", type: "log", grid: true, tickFormat: "~s" },
    color: { scheme: "tableau10", domain: options.variants, legend: true },
    marks: [
      Plot.lineY(lines, { x: "nines", y: "us", z: "variant", stroke: "variant", strokeWidth: 2 }),
      Plot.dot(lines, { x: "nines", y: "us", fill: "variant", r: 3 }),
    ],
  });
}
