// /proc/interrupts, as real kernels print it.

import { expect, test } from "vitest";

import { parseInterruptCounts, sumCounts } from "../../../sriov/interrupt-counts.ts";

// CPU 1 is offline: its column is missing.
const text = `           CPU0       CPU2       CPU3
  0:         37          0          0   IO-APIC   2-edge      timer
 42:          0       1234          5  IR-PCI-MSIX-0000:01:10.0    1-edge      net1-rx-0
130:          0          0          0  PCI-MSI 1572864-edge
NMI:          1          2          3   Non-maskable interrupts
ERR:          7
`;

test("counts by CPU of the numbered interrupts, by the names of the columns", () => {
  const counts = parseInterruptCounts(text);
  expect([...counts.keys()]).toEqual([0, 42, 130]);
  expect(counts.get(42)).toEqual(
    new Map([
      [2, 1234],
      [3, 5],
    ]),
  );
  expect(counts.get(130)).toEqual(new Map());
  expect([42, 130, 999].map((irq) => sumCounts(counts, irq))).toEqual([1239, 0, 0]);
});

test.each(["", "\n", "           CPU0\n", "42: 7 8\n"])("%j has no counts", (broken) => {
  expect(sumCounts(parseInterruptCounts(broken), 42)).toBe(0);
});
