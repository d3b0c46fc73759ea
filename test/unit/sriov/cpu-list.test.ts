// CPU lists: the kernel's forms, the shortest one back, and errors that say what was expected.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatCpuList, parseCpuList } from "../../../sriov/cpu-list.ts";
import { codeOf } from "../../support/code-of.ts";

test.each([
  ["", []],
  ["\n", []],
  ["0\n", [0]],
  ["0-3,8", [0, 1, 2, 3, 8]],
  ["8,0-3,2", [0, 1, 2, 3, 8]],
  ["0-9:1/4", [0, 4, 8]],
  ["0-7:2/4", [0, 1, 4, 5]],
])("%j is %j", (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus);
});

test.each(["a", "1-", "3-1", "1,,2", "0-99999999", "0-7:3/2", "-1", "0x3"])("%j is refused", (text) => {
  expect(() => parseCpuList(text)).toThrow(expect.objectContaining({ code: "ERR_CPU_LIST" }));
});

test("a list may name CPUs twice, but not without end", () => {
  expect(parseCpuList(`0-32767,${"0-99,".repeat(300)}9`)).toHaveLength(32_768);
  const text = "0-65535,".repeat(10_000);
  expect(() => parseCpuList(`${text}0`)).toThrow(expect.objectContaining({ code: "ERR_CPU_LIST" }));
});

test("round trip: any set of CPUs, in any order, with repetitions", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), (cpus) => {
      const expected = [...new Set(cpus)].toSorted((a, b) => a - b);
      expect(parseCpuList(formatCpuList(cpus))).toEqual(expected);
    }),
  );
});

test("any text is a list or a coded error", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("0", "1", "9", "-", ",", ":", "/", " ") }), (text) => {
      const roundTrip = (): void =>
        expect(parseCpuList(formatCpuList(parseCpuList(text)))).toEqual(parseCpuList(text));
      expect(["ok", "ERR_CPU_LIST"]).toContain(codeOf(roundTrip));
    }),
  );
});
