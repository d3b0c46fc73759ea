// Medians with their spread, for benches.

export interface Spread {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  readonly p95: number;
  readonly samples: number;
}

/** Median, quartiles and 95th percentile of at least one value, rounded to three decimals. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => round(sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN);
  return { median: at(0.5), p25: at(0.25), p75: at(0.75), p95: at(0.95), samples: sorted.length };
}

/** `work(a, b)` for each pair: rounds are compared within themselves, so that a slow moment of the machine hits both. */
export function pairwise(
  a: readonly number[],
  b: readonly number[],
  work: (a: number, b: number) => number,
): readonly number[] {
  return a.slice(0, b.length).map((value, at) => work(value, b[at] ?? Number.NaN));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
