// docs/metrics.md: every metric of every program is in it, as it is registered.

import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { counterSides } from "../../../sriov/vf-counters.ts";
import { formatMetricsPage, listMetrics, listPrograms } from "../../run/metrics-page.ts";

const root = resolve(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/metrics.md"), "utf8");

test("the page is what is generated now", () => {
  expect(page).toBe(formatMetricsPage());
});

test.each(listPrograms())("every metric of $name is there, with type, labels and help", ({ registry }) => {
  const metrics = listMetrics(registry);
  expect(metrics.length).toBeGreaterThan(0);
  for (const { name, type, labelNames, help } of metrics) {
    const labels = labelNames.map((label) => `\`${label}\``).join(", ");
    expect(page).toContain(`| \`${name}\` | ${type} | ${labels} | ${help} |`);
    // A counter says so in its name, and nothing else does.
    expect(name).toMatch(type === "counter" ? /^virtfn_\w+_total$/ : /^virtfn_\w+(?<!_total)$/);
    expect(help).toMatch(/^[^|]+\.$/);
  }
});

test("the table of drivers is there", () => {
  for (const driver of Object.keys(counterSides)) expect(page).toContain(`| \`${driver}\` |`);
});

test("no program has a metric that the page does not know", () => {
  const files = globSync("{cli,cni,deviceplugin,host,kubelet,sriov,tuning}/**/*.ts", { cwd: root });
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  const making = files.filter((_, at) => /new (?:Counter|Gauge|Histogram|Summary)\b/.test(texts[at] ?? ""));
  expect(making.toSorted()).toEqual([
    "cli/install-cni/metrics.ts",
    "deviceplugin/device-metrics.ts",
    "deviceplugin/metrics.ts",
    "deviceplugin/vf-metrics.ts",
    "tuning/drift-metric.ts",
    "tuning/metrics.ts",
    "tuning/vf-metrics.ts",
  ]);
  const named = texts.flatMap((text) => [...text.matchAll(/name: "(virtfn_\w+)"/g)].map(([, name]) => name));
  expect(named.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
