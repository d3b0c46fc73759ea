// `bench:network -- --mode lab` between two emulated nodes with every variant, and with load at a rate.

import { expect, test } from "vitest";

import { variantNames } from "../bench/network/variant.ts";
import { expectCounted, runLabBench } from "../nodes/support/lab-bench.ts";

test("two wired nodes measure every variant", async () => {
  const measurements = await runLabBench(variantNames, ["TCP_RR", "UNDER_LOAD_100"]);
  expect(measurements).toHaveLength(2 * variantNames.length);
  for (const one of measurements) expectCounted(one);
});
