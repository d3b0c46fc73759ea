// Tests test/bench/network/run-plan.ts.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { planTurns } from "../../../bench/network/run-plan.ts";
import { variantNames } from "../../../bench/network/variant.ts";

const variants = fc.subarray([...variantNames], { minLength: 1 });

test("every round has every variant once, and every second is the one before backwards", () => {
  fc.assert(
    fc.property(variants, fc.integer({ min: 1, max: 9 }), fc.nat(), (all, rounds, seed) => {
      const turns = planTurns(all, rounds, seed);
      const of = (round: number): readonly string[] =>
        turns.filter((turn) => turn.round === round).map(({ variant }) => variant);
      for (let round = 1; round <= rounds; round += 1) {
        expect(of(round).toSorted()).toEqual(all.toSorted());
        const even = round - (round % 2);
        expect(of(even)).toEqual(of(even - 1).toReversed());
      }
      expect(turns.map(({ round }) => round)).toEqual(turns.map((_, at) => 1 + Math.floor(at / all.length)));
    }),
  );
});

function plan(seed: number): string {
  return JSON.stringify(planTurns(variantNames, 4, seed));
}

test("the seed decides the order", () => {
  expect(plan(1)).toBe(plan(1));
  expect(new Set([1, 2, 3, 4].map(plan)).size).toBe(4);
});
