// Sizes of the tables of receive flow steering: powers of two, as the kernel has them.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { countQueueFlows, countSocketFlows } from "../../../sriov/rfs.ts";

test.each([
  [1, 32_768],
  [2, 16_384],
  [3, 8192],
  [8, 4096],
])("of %i receive queues each gets %i flows", (queues, flows) => {
  expect(countQueueFlows(queues)).toBe(flows);
});

test.each([
  [0, 0],
  [1, 32_768],
  [3, 131_072],
  [64, 1_048_576],
])("for %i VFs the node's table has %i entries", (vfs, entries) => {
  expect(countSocketFlows(vfs)).toBe(entries);
});

test("every size is a power of two, which the kernel keeps as it is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 256 }), (count) => {
      for (const size of [countQueueFlows(count), countSocketFlows(count)])
        expect(Number.isInteger(Math.log2(size))).toBe(true);
    }),
  );
});
