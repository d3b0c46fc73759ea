// The open loop: what is answered, and how late, when messages come at a rate whether they are answered or not.

import * as Plot from "@observablehq/plot";

import { type MetricName, metrics, type Results } from "../results.ts";
import { isFixedRate, offeredRate } from "../test-name.ts";
import { draw } from "./draw.ts";

/** A metric by offered rate, a line a variant; `undefined` where no test has a fixed rate. */
export function drawSweep({ comparisons, options }: Results, metric: MetricName): string | undefined {
  const points = comparisons.flatMap(({ test, metric: own, variant, estimate: { median, low, high } }) =>
    own === metric && isFixedRate(test)
      ? [{ variant, offered: offeredRate(test) * options.namespaces, median, low, high }]
      : [],
  );
  if (points.length === 0) return undefined;
  return draw({
    width: 560,
    height: 280,
    marginLeft: 60,
    marginTop: 24,
    ariaLabel: `${metrics[metric].title} by offered rate`,
    x: { label: "messages a second that are sent to all namespaces →", tickFormat: "~s", zero: true },
    y: {
      label: `↑ ${unitOfMetric(metric)}`,
      type: metric === "p99" ? "log" : "linear",
      zero: metric !== "p99",
      grid: true,
      tickFormat: "~s",
    },
    color: { scheme: "tableau10", domain: options.variants, legend: true },
    marks: [
      Plot.ruleX(points, { x: "offered", y1: "low", y2: "high", stroke: "variant", strokeOpacity: 0.5 }),
      Plot.lineY(points, {
        x: "offered",
        y: "median",
        z: "variant",
        stroke: "variant",
        strokeWidth: 2,
        sort: "offered",
      }),
      Plot.dot(points, { x: "offered", y: "median", fill: "variant", r: 3 }),
    ],
  });
}

function unitOfMetric(metric: MetricName): string {
  return metric === "rate" ? "answered messages/s" : metrics[metric].unit("UNDER_LOAD_1");
}
