// Tests test/bench/network/claim.ts.

import { expect, test } from "vitest";

import { judgeClaim } from "../../../bench/network/claim.ts";
import type { ClaimFacts } from "../../../bench/network/claim.ts";

const ten = Array.from({ length: 10 }, () => 1);
const steady = { median: 1, low: 1, high: 1, variation: 0.01, values: ten };
const sure: ClaimFacts = {
  label: "measured on hardware",
  value: steady,
  baseline: steady,
  ratio: { ratio: 1.15, low: 1.12, high: 1.18 },
  clientBusy: 0.5,
  missing: 0,
  moved: 0,
  fellBack: [],
};

test("what nothing stands against may be said, with its interval", () => {
  expect(judgeClaim(sure)).toEqual({ text: "+15.0 % (+12.0 to +18.0)", reasons: [] });
});

test("less is told with its sign", () => {
  expect(judgeClaim({ ...sure, ratio: { ratio: 0.9, low: 0.85, high: 0.95 } }).text).toBe(
    "-10.0 % (-15.0 to -5.0)",
  );
});

test.each([
  [{ label: "emulated, functional only" }, "emulated, functional only"],
  [{ label: "both ends on one machine, functional only" }, "both ends on one machine, functional only"],
  [{ ratio: { ratio: 1.1, low: 0.99, high: 1.2 } }, "the interval includes no difference"],
  [{ value: { ...steady, values: ten.slice(1) } }, "9 rounds, 10 are needed"],
  [{ baseline: { ...steady, variation: 0.06 } }, "the rounds vary by 6.0 %, 5.0 % is the limit"],
  [{ clientBusy: 0.8 }, "a client was 80 % busy, 80 % is the limit"],
  [{ missing: 3 }, "3 processes were late or fell silent"],
  [{ moved: 2 }, "interrupts moved in 2 of the runs"],
  [
    { fellBack: [{ round: 11, variant: "sriov-dedicated" }] },
    "the policy of sriov-dedicated fell back in round 11",
  ],
] as const)("%j: nothing may be said", (change, reason) => {
  expect(judgeClaim({ ...sure, ...change })).toEqual({ text: undefined, reasons: [reason] });
});

test("all reasons are told at once", () => {
  expect(judgeClaim({ ...sure, clientBusy: 1, missing: 1 }).reasons).toHaveLength(2);
});
