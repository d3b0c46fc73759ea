// The generated calls of test/unit/cni in full. VIRTFN_SEED runs those of another run again.

import { expect, test } from "vitest";

import { runFuzz } from "../support/cni-fuzz-run.ts";
import { runQuickCalls } from "../support/quick-calls-run.ts";

const seed = Number(process.env["VIRTFN_SEED"] ?? Date.now() % 1_000_000);

test("100,000 generated calls", async () => {
  console.log(`seed ${seed}`);
  const seen = await runFuzz(100_000, seed);
  console.log(`calls by outcome: ${JSON.stringify(Object.fromEntries(seen))}`);
  expect([...seen.keys()]).toEqual(expect.arrayContaining(["given", 0, 1, 4, 6, 7, 8, 11]));
});

test("100,000 generated calls that may be answered quickly", async () => {
  console.log(`seed ${seed}`);
  const answered = await runQuickCalls(100_000, seed);
  console.log(`answered by verb: ${JSON.stringify(Object.fromEntries(answered))}`);
  expect([...answered.keys()].toSorted()).toEqual(["ADD", "STATUS", "VERSION"]);
});
