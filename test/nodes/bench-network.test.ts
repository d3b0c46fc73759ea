// `bench:network -- --mode lab` between two emulated nodes: a kernel's interface, and VFs with placed interrupts. All variants: test/soak.

import { expect, test } from "vitest";

import { expectCounted, expectPlaced, runLabBench } from "./support/lab-bench.ts";

test("two wired nodes measure a bridge and VFs, whose interrupts come where they were placed", async () => {
  const measurements = await runLabBench(["veth-bridge", "sriov-numa-spread"], ["TCP_RR"]);
  expect(measurements).toHaveLength(2);
  for (const one of measurements) {
    expectCounted(one);
    if (one.variant === "sriov-numa-spread") expectPlaced(one);
  }
});
