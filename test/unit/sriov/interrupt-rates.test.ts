// Rates of interrupts from two readings, and whether they prove a pin.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { compareCounts, isPinConfirmed, measureInterrupts } from "../../../sriov/interrupt-rates.ts";
import { createFakeHost } from "../../support/fake-host.ts";

function counts(...rows: readonly (readonly [irq: number, ...came: (readonly [number, number])[]])[]) {
  return new Map(rows.map(([irq, ...came]) => [irq, new Map(came)]));
}

test("what came between two readings, by IRQ", () => {
  const before = counts([40, [0, 100]], [41, [1, 5]], [43, [0, 900]]);
  const after = counts([40, [0, 100], [2, 50]], [41, [1, 5]], [42, [3, 7]], [43, [0, 10]]);
  expect([...compareCounts(before, after, 500)]).toEqual([
    [40, { perSecond: 100, cpus: [2] }],
    [41, { perSecond: 0, cpus: [] }],
    [42, { perSecond: 14, cpus: [3] }],
    [43, { perSecond: 20, cpus: [0] }],
  ]);
});

test("readings are a second apart", async () => {
  using node = createFakeHost();
  const path = join(node.root, "proc/interrupts");
  fs.writeFileSync(path, "     CPU0 CPU1\n 40:   10    0  x\n");
  node.clock.after(500, () => fs.writeFileSync(path, "     CPU0 CPU1\n 40:   10    30  x\n"));
  expect((await measureInterrupts(node.host)).get(40)).toEqual({ perSecond: 30, cpus: [1] });
});

test.each([
  ["it came there", { perSecond: 9, cpus: [1] }, [0], true],
  ["it came elsewhere too", { perSecond: 9, cpus: [1, 2] }, [1], false],
  ["it did not come, and the hardware has it", { perSecond: 0, cpus: [] }, [1], true],
  ["it did not come, and the hardware has another", { perSecond: 0, cpus: [] }, [0], false],
  ["it was not watched", undefined, [1], true],
])("a pin to CPU 1 where %s", (_, rate, effective, expected) => {
  expect(isPinConfirmed(1, { rate, effective })).toBe(expected);
});
