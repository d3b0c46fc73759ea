// Tests test/bench/network/report/page.ts; how it looks in a browser: test/process/bench/report.test.ts.

import { expect, test } from "vitest";

import { renderReport } from "../../../../bench/network/report/page.ts";
import { makeBenchResults } from "../../../../support/bench-results.ts";

test("the page is one file: no script, no address of anything outside", () => {
  const page = renderReport(makeBenchResults());
  expect(page).not.toMatch(/<script|<link[^>]+href="(?!data:)|src=|@import|url\(/);
  expect(page.match(/https?:[^"]+/g) ?? []).toEqual(
    (page.match(/https?:[^"]+/g) ?? []).filter((address) => address.startsWith("http://www.w3.org/")),
  );
});

test("fixed rates are drawn together, by rate, and not as bars", () => {
  const tests = "TCP_RR,UNDER_LOAD_500,UNDER_LOAD_1000";
  const page = renderReport(makeBenchResults(["--mode", "lab", "--tests", tests]));
  expect(page.match(/aria-label="[^"]* by offered rate"/g)).toHaveLength(3);
  expect(page).not.toContain("Rate, UNDER_LOAD");
  expect(renderReport(makeBenchResults())).not.toContain("by offered rate");
});

test("what the machine says of itself is text", () => {
  const page = renderReport(makeBenchResults());
  expect(page).toContain("4 of &lt;a&gt; CPU");
  expect(page).not.toContain("<a>");
});

test("the label stands in title and head", () => {
  const page = renderReport(makeBenchResults(["--mode", "lab"]));
  expect(page.split("emulated, functional only").length).toBeGreaterThan(2);
});
