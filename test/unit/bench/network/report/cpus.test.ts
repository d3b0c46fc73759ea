// Tests the time axis of test/bench/network/report/cpus.ts; how the plots look in a browser: test/process/bench/report.test.ts.

import { parseHTML } from "linkedom";
import { expect, test } from "vitest";

import { drawTimeline } from "../../../../bench/network/report/cpus.ts";
import { makeBenchResults } from "../../../../support/bench-results.ts";

test.each([1, 2, 3, 4])("a window of %i seconds has each second once on its axis", (seconds) => {
  const results = makeBenchResults(["--rounds", "1"]);
  const measurements = results.measurements.map((one) => ({
    ...one,
    timeline: one.timeline.filter(({ second }) => second <= seconds),
  }));
  const { document } = parseHTML(drawTimeline({ ...results, measurements }, "TCP_RR") ?? "");
  const labels = document.querySelector('[aria-label="x-axis tick label"]')?.textContent;
  expect(labels).toBe("1234".slice(0, seconds));
});
