// Bars with whiskers: a metric of one test by variant, each round as a dot.

import * as Plot from "@observablehq/plot";

import { type Comparison, type MetricName, metrics, type Results } from "../results.ts";
import type { TestName } from "../test-name.ts";
import { draw } from "./draw.ts";

/** `undefined` where nothing was measured. */
export function drawBars(results: Results, test: TestName, metric: MetricName): string | undefined {
  const shown = results.comparisons.filter((one) => one.test === test && one.metric === metric);
  if (shown.length === 0) return undefined;
  const bars = shown.map(({ variant, estimate: { median, low, high } }) => ({ variant, median, low, high }));
  const rounds = shown.flatMap(({ variant, estimate }) =>
    estimate.values.map((value) => ({ variant, value })),
  );
  return draw({
    width: 560,
    height: 60 + 34 * shown.length,
    x: { label: `${metrics[metric].unit(test)} →`, grid: true, tickFormat: "~s", nice: true },
    y: { label: null, domain: bars.map(({ variant }) => variant) },
    ariaLabel: `${metrics[metric].title}, ${test}`,
    marks: [
      Plot.barX(bars, {
        x: "median",
        y: "variant",
        fill: fillOf(results, shown),
        insetTop: 3,
        insetBottom: 3,
      }),
      Plot.dot(rounds, { x: "value", y: "variant", r: 2, fill: "#333", fillOpacity: 0.35 }),
      Plot.ruleY(bars, { x1: "low", x2: "high", y: "variant", stroke: "#000", strokeWidth: 2 }),
      Plot.tickX(bars, { x: "low", y: "variant", stroke: "#000", insetTop: 8, insetBottom: 8 }),
      Plot.tickX(bars, { x: "high", y: "variant", stroke: "#000", insetTop: 8, insetBottom: 8 }),
      Plot.ruleX([0]),
    ],
  });
}

function fillOf({ options }: Results, shown: readonly Comparison[]): (bar: { variant: string }) => string {
  const known = new Set<string>(shown.map(({ variant }) => variant));
  return ({ variant }) =>
    variant === options.baseline && known.has(variant)
      ? "#b9bec6"
      : variant.startsWith("sriov-")
        ? "#4c86c6"
        : "#8fb8de";
}
