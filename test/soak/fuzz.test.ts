// The generated calls of test/unit/cni/fuzz.test.ts in full. VIRTFN_SEED runs those of another run again.

import { expect, test } from "vitest";

import { runFuzz } from "../support/cni-fuzz-run.ts";

test("100,000 generated calls", async () => {
  const seed = Number(process.env["VIRTFN_SEED"] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const seen = await runFuzz(100_000, seed);
  console.log(`calls by outcome: ${JSON.stringify(Object.fromEntries(seen))}`);
  expect([...seen.keys()]).toEqual(expect.arrayContaining(["given", 0, 1, 4, 6, 7, 8, 11]));
});
