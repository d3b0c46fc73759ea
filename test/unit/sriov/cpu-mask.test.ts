// CPU masks: hexadecimal groups of 32 bits, as many as the kernel has.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { countMaskGroups, formatCpuMask, parseCpuMask } from "../../../sriov/cpu-mask.ts";

test.each([
  ["0\n", []],
  ["f", [0, 1, 2, 3]],
  ["00000000,80000001\n", [0, 31]],
  ["1,00000000", [32]],
])("%j is %j", (text, cpus) => {
  expect(parseCpuMask(text)).toEqual(cpus);
});

test.each(["", "0x3", "g", "1,,1", "123456789"])("%j is refused", (text) => {
  expect(() => parseCpuMask(text)).toThrow(expect.objectContaining({ code: "ERR_CPU_MASK" }));
});

test("a CPU that does not fit the kernel's groups is refused", () => {
  expect(() => formatCpuMask([32], 1)).toThrow(/expected CPUs below 32, got "32"/);
});

test("round trip: any CPUs in the number of groups they need, or more", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(255)), fc.integer({ min: 8, max: 12 }), (cpus, groups) => {
      const mask = formatCpuMask(cpus, groups);
      expect(countMaskGroups(`${mask}\n`)).toBe(groups);
      expect(parseCpuMask(mask)).toEqual(cpus.toSorted((a, b) => a - b));
    }),
  );
});
