// The gate before a percentage: what has to be so before "X % faster" may be said of two variants.

import type { Label } from "./label.ts";
import type { Turn } from "./run-plan.ts";
import type { Estimate, Ratio } from "./statistics.ts";

export interface ClaimFacts {
  readonly label: Label;
  readonly value: Estimate;
  readonly baseline: Estimate;
  readonly ratio: Ratio;
  /** Highest share of a client's CPUs that was busy, 0 to 1. */
  readonly clientBusy: number;
  /** Processes that were late or fell silent, of all in all runs. */
  readonly missing: number;
  /** Runs at whose end an interrupt might come on other CPUs than before; without those of irqbalance, which is there to move them. */
  readonly moved: number;
  /** Turns of either variant in which its policy was not in force. */
  readonly fellBack: readonly Turn[];
}

export interface Claim {
  /** "+15 % (+12 to +18)"; `undefined` when it may not be said. */
  readonly text: string | undefined;
  /** Why not; empty when it may. */
  readonly reasons: readonly string[];
}

const limits = { rounds: 10, variation: 0.05, clientBusy: 0.8 } as const;

/** Every reason at once. */
export function judgeClaim(facts: ClaimFacts): Claim {
  const { label, value, baseline, ratio, clientBusy, missing, moved, fellBack } = facts;
  const rounds = Math.min(value.values.length, baseline.values.length);
  const variation = Math.max(value.variation, baseline.variation);
  const reasons = [
    ...(label === "measured on hardware" ? [] : [label]),
    ...(rounds < limits.rounds ? [`${rounds} rounds, ${limits.rounds} are needed`] : []),
    ...(ratio.low <= 1 && ratio.high >= 1 ? ["the interval includes no difference"] : []),
    ...(variation > limits.variation
      ? [`the rounds vary by ${percent(variation)}, ${percent(limits.variation)} is the limit`]
      : []),
    ...(clientBusy >= limits.clientBusy
      ? [`a client was ${percent(clientBusy)} busy, ${percent(limits.clientBusy)} is the limit`]
      : []),
    ...(missing > 0 ? [`${missing} processes were late or fell silent`] : []),
    ...(moved > 0 ? [`interrupts moved in ${moved} of the runs`] : []),
    ...fellBack.map(({ round, variant }) => `the policy of ${variant} fell back in round ${round}`),
  ];
  return { text: reasons.length === 0 ? formatRatio(ratio) : undefined, reasons };
}

/** "+15.0 % (+12.1 to +18.2)". */
export function formatRatio({ ratio, low, high }: Ratio): string {
  return `${difference(ratio)} % (${difference(low)} to ${difference(high)})`;
}

function difference(ratio: number): string {
  const text = ((ratio - 1) * 100).toFixed(1);
  return ratio >= 1 ? `+${text}` : text;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
