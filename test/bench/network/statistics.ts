// What rounds say together: the median with its 95 % interval, and the ratio of two variants with its own.

import { mean, median, quantileSorted, sampleStandardDeviation } from "simple-statistics";

import { createStormRandom } from "../../support/storm.ts";

export interface Estimate {
  readonly median: number;
  /** 95 % interval of the median, by bootstrap. */
  readonly low: number;
  readonly high: number;
  /** Standard deviation over mean; 0 for one value. */
  readonly variation: number;
  readonly values: readonly number[];
}

/** The ratio of two medians, `low` to `high` with 95 % confidence. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 4_000;
/** Of the resampling: the same figures give the same interval. */
const seed = 20_250_101;

/** Of at least one value. Source: Efron's percentile bootstrap. */
export function estimate(values: readonly number[]): Estimate {
  const random = createStormRandom(seed);
  const { low, high } = interval(() => median(values.map(() => pick(values, random))));
  return {
    median: median([...values]),
    low,
    high,
    variation: values.length < 2 ? 0 : sampleStandardDeviation([...values]) / mean([...values]),
    values,
  };
}

/**
 * `values` over `baseline`, which are of the same rounds in the same order: whole rounds are drawn, so that what disturbed
 * a round disturbed both.
 */
export function compare(values: readonly number[], baseline: readonly number[]): Ratio {
  const random = createStormRandom(seed);
  const rounds = values.slice(0, baseline.length).map((_, at) => at);
  const { low, high } = interval(() => {
    const drawn = rounds.map(() => pick(rounds, random));
    return medianOf(values, drawn) / medianOf(baseline, drawn);
  });
  return { ratio: medianOf(values, rounds) / medianOf(baseline, rounds), low, high };
}

function medianOf(values: readonly number[], rounds: readonly number[]): number {
  return median(rounds.map((at) => values[at] ?? Number.NaN));
}

function interval(draw: () => number): { readonly low: number; readonly high: number } {
  const drawn = Array.from({ length: resamples }, draw).toSorted((a, b) => a - b);
  return { low: quantileSorted(drawn, 0.025), high: quantileSorted(drawn, 0.975) };
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}
