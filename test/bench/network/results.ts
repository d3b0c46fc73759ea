// The results of a whole bench: for each test and metric the variants with their intervals, compared with the baseline.

import { type Claim, judgeClaim } from "./claim.ts";
import type { BenchOutcome } from "./host-bench.ts";
import type { Label } from "./label.ts";
import type { Measurement } from "./measurement.ts";
import type { BenchOptions } from "./options.ts";
import { compare, type Estimate, estimate, type Ratio } from "./statistics.ts";
import { type TestName, unitOf } from "./test-name.ts";
import type { Variant } from "./variant.ts";

export interface Results extends BenchOutcome {
  readonly label: Label;
  readonly startedAt: string;
  readonly options: Omit<BenchOptions, "isJson" | "out">;
  readonly comparisons: readonly Comparison[];
}

/** One variant in one test by one metric. */
export interface Comparison {
  readonly test: TestName;
  readonly metric: MetricName;
  readonly variant: Variant;
  readonly estimate: Estimate;
  /** Over the baseline; `undefined` for itself, and where rounds are missing. */
  readonly ratio: Ratio | undefined;
  readonly claim: Claim | undefined;
}

interface Metric {
  readonly title: string;
  readonly unit: (test: TestName) => string;
  readonly of: (measurement: Measurement) => number | undefined;
}

/** The metrics that are compared, in the order of the report. */
export const metrics = {
  rate: { title: "Rate", unit: unitOf, of: ({ rate }) => rate },
  packets: {
    title: "Packets of the device, both directions",
    unit: () => "packets/s",
    of: ({ packetsPerSecond }) => packetsPerSecond,
  },
  cpu: {
    title: "CPU time of the node under test",
    unit: (test) => `CPU s per million ${unitOf(test).slice(0, -"/s".length)}`,
    of: ({ cpuSecondsPerMillion }) => cpuSecondsPerMillion,
  },
  p99: {
    title: "Latency, 99th percentile of the process in the middle",
    unit: () => "µs",
    of: ({ latency }) => latency?.p99Us,
  },
  imbalance: {
    title: "Receive softirqs, busiest CPU over the mean",
    unit: () => "times",
    of: ({ imbalance }) => imbalance,
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof metrics;

/** Computes what the measurements say; variants and tests without a measurement are left out. */
export function toResults(
  { isJson: _json, out: _out, ...options }: BenchOptions,
  outcome: BenchOutcome,
  { label, startedAt }: { readonly label: Label; readonly startedAt: Date },
): Results {
  const names = Object.keys(metrics) as MetricName[];
  const comparisons = options.tests.flatMap((test) =>
    names.flatMap((metric) =>
      options.variants.flatMap((variant) => compareOne(label, options, outcome, { test, metric, variant })),
    ),
  );
  return { label, startedAt: startedAt.toISOString(), options, ...outcome, comparisons };
}

function compareOne(
  label: Label,
  { baseline }: Pick<BenchOptions, "baseline">,
  { measurements, fellBack }: Pick<BenchOutcome, "measurements" | "fellBack">,
  { test, metric, variant }: Pick<Comparison, "test" | "metric" | "variant">,
): readonly Comparison[] {
  const of = (wanted: Variant): ReadonlyMap<number, Measurement> =>
    new Map(
      measurements
        .filter((one) => one.test === test && one.variant === wanted)
        .map((one) => [one.round, one]),
    );
  const [own, other] = [of(variant), of(baseline)];
  const pick = metrics[metric].of;
  const values = [...own.values()].flatMap((one) => pick(one) ?? []);
  if (values.length === 0) return [];
  const estimated = { test, metric, variant, estimate: estimate(values) };
  const pairs = [...own].flatMap(([round, one]) => {
    const [value, base] = [pick(one), pickOf(other.get(round))];
    return value === undefined || base === undefined ? [] : [{ one, value, base }];
  });
  function pickOf(one: Measurement | undefined): number | undefined {
    return one === undefined ? undefined : pick(one);
  }
  if (variant === baseline || pairs.length === 0)
    return [{ ...estimated, ratio: undefined, claim: undefined }];
  const baseValues = pairs.map(({ base }) => base);
  const ratio = compare(
    pairs.map(({ value }) => value),
    baseValues,
  );
  const runs = [...own.values(), ...other.values()];
  const claim = judgeClaim({
    label,
    value: estimated.estimate,
    baseline: estimate(baseValues),
    ratio,
    clientBusy: Math.max(...runs.map(({ clientBusy }) => clientBusy)),
    missing: runs.reduce((sum, { late, stalled }) => sum + late + stalled, 0),
    moved: runs.filter(hasMoved).length,
    fellBack: fellBack.filter((turn) => turn.variant === variant || turn.variant === baseline),
  });
  return [{ ...estimated, ratio, claim }];
}

function hasMoved({ variant, irqMap }: Measurement): boolean {
  return variant !== "sriov-irqbalance" && irqMap.some(({ before, after }) => before !== after);
}
