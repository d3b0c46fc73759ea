// `bench:network -- --mode lab` between two emulated nodes with every variant, and with load at a rate.

import { expect, test } from "vitest";

import { variantNames } from "../bench/network/variant.ts";
import { expectCounted, runLabBench } from "../nodes/support/lab-bench.ts";

test("two wired nodes measure every variant that needs no pod, and tell of the others why not", async () => {
  const measurements = await runLabBench(variantNames, ["TCP_RR", "UNDER_LOAD_100"]);
  const ofPods = new Set<string>(["sriov-follow-pod", "sriov-pod-sibling", "sriov-pod-first-core"]);
  const measured = variantNames.filter((variant) => !ofPods.has(variant));
  expect(new Set(measurements.map(({ variant }) => variant))).toEqual(new Set(measured));
  expect(measurements).toHaveLength(2 * measured.length);
  for (const one of measurements) expectCounted(one);
});
