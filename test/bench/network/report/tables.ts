// The tables of the report: comparisons with their claims, the machine, the interrupt map, every measurement.

import { formatRatio } from "../claim.ts";
import { metrics, type Results } from "../results.ts";
import { unitOf } from "../test-name.ts";
import { formatFigure, tableOf } from "./markup.ts";

/** The gate's word on each variant: what may be said, or all that stands against it. */
export function tableComparisons({ comparisons, options }: Results): string {
  const head = [
    "test",
    "metric",
    "variant",
    "median",
    "95 % interval",
    "varies by",
    `against ${options.baseline}`,
  ];
  const rows = comparisons.map(({ test, metric, variant, estimate, ratio, claim }) => [
    test,
    `${metrics[metric].title}, ${metrics[metric].unit(test)}`,
    variant,
    formatFigure(estimate.median),
    `${formatFigure(estimate.low)} to ${formatFigure(estimate.high)}`,
    `${(estimate.variation * 100).toFixed(1)} %`,
    ratio === undefined ? "–" : formatRatio(ratio),
    claim === undefined ? "" : claim.reasons.length === 0 ? "yes" : `no: ${claim.reasons.join("; ")}`,
  ]);
  return tableOf([...head, "may be published"], rows);
}

export function tableMachine({ machine }: Results): string {
  return tableOf(["of the node under test", ""], Object.entries(machine));
}

/** Where the interrupts might come and did come, before and after; the last round of each variant in its first test. */
export function tableIrqs({ measurements, options }: Results): string {
  const [test] = options.tests;
  const rows = options.variants.flatMap((variant) => {
    const own = measurements.filter((one) => one.variant === variant && one.test === test);
    return (own.at(-1)?.irqMap ?? []).map(({ irq, name, before, after }) => {
      const moved = own.filter(({ irqMap }) =>
        irqMap.some((one) => one.irq === irq && one.before !== one.after),
      ).length;
      return [
        variant,
        String(irq),
        name,
        before,
        after,
        moved === 0 ? "held" : `moved in ${moved} of ${own.length} rounds`,
      ];
    });
  });
  return tableOf(["variant", "IRQ", "handler", "CPUs before", "CPUs after", "during the runs"], rows);
}

export function tableRuns({ measurements }: Results): string {
  const head = [
    "round",
    "variant",
    "test",
    "rate",
    "unit",
    "packets/s",
    "CPU s per million",
    "p50 µs",
    "p90 µs",
  ];
  const more = ["p99 µs", "node busy", "client busy", "softirqs, busiest over mean", "late", "stalled"];
  const rows = measurements.map((one) => [
    String(one.round),
    one.variant,
    one.test,
    formatFigure(one.rate),
    unitOf(one.test),
    formatFigure(one.packetsPerSecond),
    formatFigure(one.cpuSecondsPerMillion),
    ...[one.latency?.p50Us, one.latency?.p90Us, one.latency?.p99Us].map((us) =>
      formatFigure(us ?? Number.NaN),
    ),
    `${Math.round(one.busy * 100)} %`,
    `${Math.round(one.clientBusy * 100)} %`,
    formatFigure(one.imbalance),
    String(one.late),
    String(one.stalled),
  ]);
  return tableOf([...head, ...more], rows);
}
