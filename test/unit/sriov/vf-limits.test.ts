// What may be asked of VFs: the form, and which limits allow nothing together.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  findContradictions,
  formatVfLimits,
  parseVfLimits,
  type VfLimits,
} from "../../../sriov/vf-limits.ts";

const vlan = fc.integer({ min: 0, max: 4094 });
const range = fc
  .tuple(vlan, vlan)
  .map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) }));
const perhaps = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const anyLimits: fc.Arbitrary<VfLimits> = fc.record({
  vlans: perhaps(fc.array(range)),
  trust: perhaps(fc.boolean()),
  spoofchk: perhaps(fc.boolean()),
});

test("what is formatted is read again, by way of JSON too", () => {
  const isKept = fc.property(anyLimits, (limits) => {
    const written = JSON.parse(JSON.stringify(formatVfLimits(limits))) as unknown;
    expect(parseVfLimits(written, "limits")).toEqual({ limits, problems: [] });
  });
  fc.assert(isKept);
});

function allows({ vlans }: VfLimits, asked: number): boolean {
  return vlans?.some(({ first, last }) => first <= asked && asked <= last) !== false;
}

test("VLANs contradict each other where both name some and none is in both, on whichever side they stand", () => {
  const all = Array.from({ length: 4095 }, (_, at) => at);
  const isRight = fc.property(anyLimits, anyLimits, (one, other) => {
    const isNone = !all.some((asked) => allows(one, asked) && allows(other, asked));
    // An empty list says itself that there shall be none.
    const areNamed = [one, other].every(({ vlans }) => vlans !== undefined && vlans.length > 0);
    expect(findContradictions(one, other).includes("vlans")).toBe(isNone && areNamed);
    expect(findContradictions(other, one)).toEqual(findContradictions(one, other));
  });
  fc.assert(isRight);
});

test.each([
  [{ trust: "on" }, { trust: "off" }, ["trust"]],
  [{ trust: "on", spoofchk: "off" }, { trust: "on", spoofchk: "on" }, ["spoofchk"]],
  [{ trust: "on" }, { spoofchk: "off" }, []],
])("%j and %j contradict each other in %j", (one, other, expected) => {
  const [left, right] = [parseVfLimits(one, "").limits, parseVfLimits(other, "").limits];
  expect(findContradictions(left, right)).toEqual(expected);
});
