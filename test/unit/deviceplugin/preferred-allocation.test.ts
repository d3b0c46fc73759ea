// The preferred devices: each rule by an example, and all of them against trying every choice.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  costOf,
  type FreeDevice,
  preferDevices,
  type PreferenceRequest,
} from "../../../deviceplugin/preferred-allocation.ts";
import { combinations } from "../../../deviceplugin/preferred-choice.ts";
import type { AllocationPolicy } from "../../../sriov/resource-config.ts";

const policies: readonly AllocationPolicy[] = ["pack", "spread", "same-pf", "same-numa"];

test.each<[string, AllocationPolicy, string, string, number, string]>([
  ["pack takes the PF with the fewest free VFs", "pack", "a0 a1 a2 b0 b1", "", 1, "b0"],
  ["pack goes on with the next when that is used up", "pack", "a0 a1 a2 b0 b1", "", 3, "a0 b0 b1"],
  ["spread takes the PF with the most", "spread", "a0 a1 b0 b1 b2", "", 1, "b0"],
  ["spread takes from all in turn", "spread", "a0 a1 a2 b0 b1 b2", "", 4, "a0 a1 b0 b1"],
  ["same-pf takes one PF that has room for all", "same-pf", "a0 a1 b0 b1 b2", "", 3, "b0 b1 b2"],
  ["same-numa takes the first ones", "same-numa", "a0 a1 b0", "", 2, "a0 a1"],
  ["one NUMA node goes before one PF", "same-pf", "a0 b0 b1 X0 X1 X2", "", 3, "X0 X1 X2"],
  ["two PFs of one node go before one PF and another node", "pack", "a0 b0 X0", "", 2, "a0 b0"],
  ["what must be in decides the node", "pack", "a0 a1 X0 X1", "X1", 2, "X0 X1"],
  ["what must be in decides the PF", "same-pf", "a0 a1 b0 b1 b2", "b2", 2, "b0 b2"],
  ["a VF without a record goes first", "pack", "a0! a1 a2", "", 1, "a1"],
  ["the policy goes before records", "pack", "a0! b0 b1", "", 1, "a0"],
  ["PFs with as many: records decide", "pack", "a0! b0", "", 1, "b0"],
  ["PFs with as many: PCI order decides", "spread", "a0 b0", "", 1, "a0"],
  ["fewer than asked for: all", "spread", "a0 b0", "", 5, "a0 b0"],
])("%s", (_, policy, available, must, size, expected) => {
  const request = {
    available: devices(available),
    mustInclude: new Set(must.split(" ").filter(Boolean)),
    size,
  };
  expect(preferDevices(policy, request).toSorted().join(" ")).toBe(expected);
});

const device = fc.record({
  pf: fc.constantFrom("a", "b", "c", "d"),
  numaNode: fc.constantFrom(0, 1, undefined),
  hasRecord: fc.boolean(),
});
const request = fc
  .tuple(fc.array(device, { maxLength: 9 }), fc.nat(9), fc.nat(), fc.infiniteStream(fc.nat(2)))
  .map(([list, size, mustCount, dice]): PreferenceRequest => {
    const available = list.map((one, at) => ({ ...one, id: `${at}${one.pf}` }));
    const must = available.filter(() => dice.next().value === 0).slice(0, mustCount % (size + 1));
    return { available, size, mustInclude: new Set(must.map(({ id }) => id)) };
  });

test.each(policies)("%s: no other choice is better", (policy) => {
  fc.assert(
    fc.property(request, (wanted) => {
      expect(preferDevices(policy, wanted).toSorted()).toEqual(tryAll(policy, wanted));
    }),
    { numRuns: 2_000 },
  );
});

test.each(policies)(
  "%s: only what is available, what must be in, as many as asked for, and the same again",
  (policy) => {
    fc.assert(
      fc.property(request, (wanted) => {
        const chosen = preferDevices(policy, wanted);
        const ids = new Set(wanted.available.map(({ id }) => id));
        expect(chosen.every((id) => ids.has(id))).toBe(true);
        expect(new Set(chosen).size).toBe(Math.min(wanted.size, ids.size));
        expect([...wanted.mustInclude].every((id) => chosen.includes(id))).toBe(true);
        expect(preferDevices(policy, wanted)).toEqual(chosen);
      }),
    );
  },
);

test.each(policies)("%s: 256 VFs of 8 PFs on 2 nodes take less than a millisecond", (policy) => {
  const available = Array.from({ length: 256 }, (_, at): FreeDevice => {
    const pf = Math.floor(at / 32);
    return { id: String(at), pf: String(pf), numaNode: pf % 2, hasRecord: at % 7 === 0 };
  });
  const wanted = { available, mustInclude: new Set<string>(), size: 5 };
  for (let warm = 0; warm < 50; warm += 1) preferDevices(policy, wanted);
  const timesMs = Array.from({ length: 21 }, () => {
    const startMs = performance.now();
    preferDevices(policy, wanted);
    return performance.now() - startMs;
  });
  expect(timesMs.toSorted((a, b) => a - b)[10]).toBeLessThan(1);
});

/** "a0 b1! X2": a PF and a number, "!" for one with a record, PFs in upper case on node 1. */
function devices(text: string): readonly FreeDevice[] {
  return text.split(" ").map((word) => ({
    id: word.replace("!", ""),
    pf: word.slice(0, 1),
    numaNode: /^[A-Z]/u.test(word) ? 1 : 0,
    hasRecord: word.endsWith("!"),
  }));
}

/** Every choice, the cheapest: nodes first, then what `costOf` says. */
function tryAll(
  policy: AllocationPolicy,
  { available, mustInclude, size }: PreferenceRequest,
): readonly string[] {
  const order = new Map(available.map(({ id }, at) => [id, at]));
  const choices = combinations(available, Math.min(size, available.length)).filter((chosen) =>
    [...mustInclude].every((id) => chosen.some((one) => one.id === id)),
  );
  const costs = choices.map((chosen) => {
    const nodes = new Set(chosen.map(({ numaNode }) => numaNode)).size;
    return { ids: chosen.map(({ id }) => id), cost: [nodes, ...costOf(policy, available, order, chosen)] };
  });
  const [best] = costs.toSorted((a, b) => {
    const at = a.cost.findIndex((value, index) => value !== b.cost[index]);
    return at === -1 ? 0 : (a.cost[at] ?? 0) - (b.cost[at] ?? 0);
  });
  return (best?.ids ?? []).toSorted();
}
