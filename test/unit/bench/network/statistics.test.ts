// Tests test/bench/network/statistics.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { compare, estimate } from "../../../bench/network/statistics.ts";
import { createStormRandom } from "../../../support/storm.ts";

const values = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 12 });

test("the median lies in its interval, and the interval among the values", () => {
  fc.assert(
    fc.property(values, (list) => {
      const { median, low, high } = estimate(list);
      expect(low).toBeLessThanOrEqual(median);
      expect(median).toBeLessThanOrEqual(high);
      expect(Math.min(...list)).toBeLessThanOrEqual(low);
      expect(high).toBeLessThanOrEqual(Math.max(...list));
    }),
    { numRuns: 20 },
  );
});

test("the same values have the same interval", () => {
  expect(estimate([3, 1, 2])).toEqual(estimate([3, 1, 2]));
});

test("the interval covers the true median in about 95 of 100 cases", () => {
  const random = createStormRandom(7);
  const cases = Array.from({ length: 100 }, () => Array.from({ length: 15 }, random));
  const covered = cases.map(estimate).filter(({ low, high }) => low <= 0.5 && high >= 0.5).length;
  expect(covered).toBeGreaterThanOrEqual(88);
});

test("a disturbance that hits whole rounds leaves the ratio of paired rounds narrow", () => {
  const disturbed = [1, 0.5, 1.1, 0.7, 0.9, 1.3, 0.8, 1, 1.2, 0.6];
  const { ratio, low, high } = compare(
    disturbed.map((of) => of * 115),
    disturbed.map((of) => of * 100),
  );
  expect(ratio).toBeCloseTo(1.15);
  expect([low, high].map((bound) => Math.round(bound * 100))).toEqual([115, 115]);
});

test("no difference is an interval around 1", () => {
  const random = createStormRandom(3);
  const draw = (): number[] => Array.from({ length: 12 }, () => 100 + random());
  const { low, high } = compare(draw(), draw());
  expect(low).toBeLessThan(1);
  expect(high).toBeGreaterThan(1);
});
