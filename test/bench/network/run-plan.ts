// Which variant runs when: interleaved, so that a machine that warms up or is disturbed does so to all of them.

import { createStormRandom } from "../../support/storm.ts";
import type { Variant } from "./variant.ts";

/** One variant is set up, every test runs once, it is taken down. Rounds count from 1. */
export interface Turn {
  readonly round: number;
  readonly variant: Variant;
}

/** Every variant once a round, in an order of the seed's; each second round is the one before backwards (A B B A). */
export function planTurns(variants: readonly Variant[], rounds: number, seed: number): readonly Turn[] {
  const random = createStormRandom(seed);
  const turns: Turn[] = [];
  let order: readonly Variant[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    order = round % 2 === 1 ? shuffle(variants, random) : order.toReversed();
    turns.push(...order.map((variant) => ({ round, variant })));
  }
  return turns;
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
