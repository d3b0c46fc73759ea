// Tests test/bench/network/counters.ts.

import { expect, test } from "vitest";

import {
  parseCpuTimes,
  parseIrqNames,
  parsePackets,
  parseSoftirqs,
} from "../../../bench/network/counters.ts";

test("CPU time in seconds, without idle, disk and stolen time", () => {
  const text = "cpu  9 9\ncpu0 100 0 200 1000 50 10 40 300 70 0\ncpu1 0 0 0 5 0 0 0 0 0 0\nintr 1\n";
  expect([...parseCpuTimes(text)]).toEqual([
    [0, { busy: 3.5, total: 17, softirq: 0.4 }],
    [1, { busy: 0, total: 0.05, softirq: 0 }],
  ]);
});

test("a row of softirqs by CPU", () => {
  const text =
    "                    CPU0       CPU2\n      NET_TX:          1          2\n      NET_RX:         30          4\n";
  expect([...parseSoftirqs(text, "NET_RX")]).toEqual([
    [0, 30],
    [2, 4],
  ]);
});

test("packets of one device in both directions", () => {
  const text = `Inter-|   Receive\n face |bytes\n    lo:  1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n  vb0:900 70 0 0 0 0 0 0 800 8 0 0 0 0 0 0\n`;
  expect(parsePackets(text, "vb0")).toBe(78);
  expect(parsePackets(text, "b0")).toBe(0);
});

test("the names of handlers", () => {
  const text = `           CPU0       CPU1
  24:          0          7  PCI-MSIX-0000:00:04.0   0-edge      ens1-TxRx-0
 NMI:          0          0   Non-maskable interrupts
`;
  expect([...parseIrqNames(text)]).toEqual([[24, "ens1-TxRx-0"]]);
});
