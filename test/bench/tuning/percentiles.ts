// What the slowest pods wait, beside the usual one.

export interface Percentiles {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Of at least one time, to a tenth of a millisecond. */
export function percentilesOf(timesMs: readonly number[]): Percentiles {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    Math.round(10 * (sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN)) / 10;
  return { samples: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
