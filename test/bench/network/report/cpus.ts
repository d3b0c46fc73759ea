// Where the work went: softirqs and interrupts by CPU, and softirqs over time.

import * as Plot from "@observablehq/plot";

import type { Measurement } from "../measurement.ts";
import type { Results } from "../results.ts";
import type { TestName } from "../test-name.ts";
import type { Variant } from "../variant.ts";
import { draw } from "./draw.ts";

/** Interrupts named in a heat map: the busiest ones. */
const irqsShown = 12;

/** Share of the receive softirqs by CPU, all rounds together. */
export function drawBalance({ measurements, options }: Results, test: TestName): string | undefined {
  const cells = options.variants.flatMap((variant) => {
    const counts = addUp(select(measurements, test, variant).flatMap(({ netRx }) => netRx));
    const sum = [...counts.values()].reduce((all, count) => all + count, 0);
    return [...counts].map(([cpu, count]) => ({ variant, cpu, share: sum === 0 ? 0 : count / sum }));
  });
  if (cells.length === 0) return undefined;
  const cpus = new Set(cells.map(({ cpu }) => cpu)).size;
  return draw({
    width: widthOf(cpus),
    height: 60 + 30 * new Set(cells.map(({ variant }) => variant)).size,
    ariaLabel: `Share of receive softirqs by CPU, ${test}`,
    x: { label: "CPU", type: "band" },
    y: {
      label: null,
      domain: options.variants.filter((name) => cells.some(({ variant }) => variant === name)),
    },
    color: { scheme: "blues", domain: [0, 1], type: "linear" },
    marks: [
      Plot.cell(cells, { x: "cpu", y: "variant", fill: "share", inset: 1 }),
      ...(cpus > 16 ? [] : [percentText(cells)]),
    ],
  });
}

/** How often the busiest interrupts came on each CPU, as share of the variant's interrupts, all rounds together. */
export function drawInterrupts(
  { measurements }: Results,
  test: TestName,
  variant: Variant,
): string | undefined {
  const own = select(measurements, test, variant).flatMap(({ interrupts }) => interrupts);
  const sums = [...addUp(own.map(({ irq, count }) => ({ cpu: irq, count })))].toSorted((a, b) => b[1] - a[1]);
  const busiest = sums.slice(0, irqsShown).map(([irq]) => irq);
  const shown = busiest.toSorted((a, b) => a - b);
  const sum = sums.reduce((all, [, count]) => all + count, 0);
  const cells = shown.flatMap((irq) => {
    const ofIrq = own.filter((one) => one.irq === irq);
    const name = `${irq} ${ofIrq[0]?.name ?? ""}`;
    return [...addUp(ofIrq)].map(([cpu, count]) => ({ name, cpu, share: count / sum }));
  });
  if (cells.length === 0) return undefined;
  const cpus = cpusOf(measurements);
  return draw({
    width: widthOf(cpus.length),
    height: 60 + 22 * shown.length,
    ariaLabel: `Interrupts by CPU, ${variant}, ${test}`,
    x: { label: "CPU", type: "band", domain: cpus },
    y: { label: null, domain: [...new Set(cells.map(({ name }) => name))] },
    color: { scheme: "oranges", domain: [0, 1], type: "linear" },
    marks: [
      Plot.cell(cells, { x: "cpu", y: "name", fill: "share", inset: 1 }),
      ...(cpus.length > 16
        ? []
        : [
            Plot.text(cells, { x: "cpu", y: "name", text: ({ share }: { share: number }) => percent(share) }),
          ]),
    ],
  });
}

/** Share of each second that each CPU spent in softirqs, in the first round that measured the variant. */
export function drawTimeline({ measurements, options }: Results, test: TestName): string | undefined {
  const lines = options.variants.flatMap((variant) =>
    (select(measurements, test, variant)[0]?.timeline ?? []).map((point) => ({
      variant,
      cpu: String(point.cpu),
      second: point.second,
      softirq: point.softirq,
    })),
  );
  if (lines.length === 0) return undefined;
  const seconds = Math.max(...lines.map(({ second }) => second));
  const ticks = seconds > 12 ? 12 : Array.from({ length: seconds }, (_, at) => at + 1);
  const facets = new Set(lines.map(({ variant }) => variant)).size;
  return draw({
    width: 1140,
    height: 60 + 80 * facets,
    marginLeft: 60,
    marginRight: 150,
    ariaLabel: `Time in softirqs by CPU, ${test}`,
    x: { label: "second of the window →", tickFormat: "d", ticks },
    y: {
      label: null,
      percent: true,
      grid: true,
      ticks: 3,
      zero: true,
      tickFormat: (share: number) => `${share} %`,
    },
    fy: {
      label: null,
      padding: 0.25,
      domain: options.variants.filter((name) => lines.some(({ variant }) => variant === name)),
    },
    color: {
      scheme: "tableau10",
      type: "ordinal",
      legend: true,
      label: "CPU",
      tickFormat: (cpu: string) => `CPU ${cpu}`,
    },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(lines, { x: "second", y: "softirq", fy: "variant", z: "cpu", stroke: "cpu" }),
      Plot.dot(lines, { x: "second", y: "softirq", fy: "variant", fill: "cpu", r: 2 }),
    ],
  });
}

function select(
  measurements: readonly Measurement[],
  test: TestName,
  variant: Variant,
): readonly Measurement[] {
  return measurements.filter((one) => one.test === test && one.variant === variant);
}

function addUp(
  counts: readonly { readonly cpu: number; readonly count: number }[],
): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { cpu, count } of counts) sums.set(cpu, (sums.get(cpu) ?? 0) + count);
  return sums;
}

function cpusOf(measurements: readonly Measurement[]): readonly number[] {
  const cpus = new Set(measurements.flatMap(({ netRx }) => netRx.map(({ cpu }) => cpu)));
  return [...cpus].toSorted((a, b) => a - b);
}

function widthOf(cpus: number): number {
  return Math.min(1140, 220 + 46 * Math.max(cpus, 4));
}

function percent(share: number): string {
  return share < 0.005 ? "" : `${Math.round(share * 100)} %`;
}

function percentText(cells: readonly { readonly share: number }[]): Plot.Markish {
  return Plot.text(cells, {
    x: "cpu",
    y: "variant",
    text: ({ share }: { share: number }) => percent(share),
    fill: ({ share }: { share: number }) => (share > 0.6 ? "white" : "black"),
  });
}
