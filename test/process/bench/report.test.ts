// The report of bench:network in a real browser, Debian's chromium: what it shows, how large, and that it asks for nothing.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { renderReport } from "../../bench/network/report/page.ts";
import { makeBenchResults } from "../../support/bench-results.ts";

const executablePath = "/usr/bin/chromium";
/** Kept after the run, for who wants to look. */
const artefacts = resolve(import.meta.dirname, "../../../dist/test-artefacts");
const isThere = existsSync(executablePath);
const folder = mkdtempSync(join(tmpdir(), "virtfn-report-"));
let browser: Browser | undefined;

beforeAll(async () => {
  if (isThere) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

test("every plot of the report is drawn, nothing is asked for, nothing goes wrong", async ({ skip }) => {
  skip(!isThere, `no ${executablePath} (Debian: package chromium)`);
  const path = join(folder, "report.html");
  const results = makeBenchResults();
  writeFileSync(path, renderReport(results));
  const page = await browser?.newPage({ viewport: { width: 1280, height: 900 } });
  if (page === undefined) throw new Error("no browser");
  const said: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  const url = pathToFileURL(path).href;
  await page.goto(url);

  mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: join(artefacts, "bench-network-report.png"), fullPage: true });

  expect(said).toEqual([]);
  expect(asked.filter((address) => address !== url && !address.startsWith("data:"))).toEqual([]);
  expect(await page.title()).toBe("Pod networking: kinds of interface compared (measured on hardware)");
  expect(await page.locator(".label").innerText()).toBe("measured on hardware");
  // 5 metrics and the latencies of each test; balance, time, and the interrupts of each variant.
  const plots = await page.locator("figure > svg, figure > figure > svg").all();
  expect(plots).toHaveLength(2 * 6 + 2 + 4);
  const shown = await Promise.all(
    plots.map(async (plot) => ({
      name: await plot.getAttribute("aria-label"),
      box: await plot.boundingBox(),
      shapes: await plot.locator("rect, path, line").count(),
    })),
  );
  const small = shown.filter(
    ({ box, shapes }) => box === null || box.width < 300 || box.height < 60 || shapes < 4,
  );
  expect(small).toEqual([]);
  expect(shown.filter(({ name }) => name === null)).toEqual([]);
  // The bars are as long as the figures say.
  const bars = page.getByLabel("Rate, TCP_RR", { exact: true }).locator('g[aria-label="bar"] rect');
  const widths = await Promise.all((await bars.all()).map(async (bar) => (await bar.boundingBox())?.width));
  const rates = results.comparisons.filter(({ test, metric }) => test === "TCP_RR" && metric === "rate");
  expect(widths).toHaveLength(rates.length);
  const scale = rates.map(({ estimate }, at) => (widths[at] ?? 0) / estimate.median);
  for (const one of scale) expect(one / (scale[0] ?? 0)).toBeCloseTo(1, 2);
  // Nothing is cut off beside the page.
  const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(overflow).toBeLessThanOrEqual(0);
});
