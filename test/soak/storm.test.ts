// The storm of test/process/cni/storm.test.ts in full. VIRTFN_SEED runs one again.

import { expect, test } from "vitest";

import { compileExecutables } from "../support/executables.ts";
import { judgeStorm, runStorm } from "../support/storm.ts";

test("10,000 ADDs and DELs at once, some of them killed, leave nothing behind", async () => {
  await using executables = await compileExecutables({ cni: "test/support/stand-in-cni-main.ts" });
  const seed = Number(process.env["VIRTFN_SEED"] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const end = await runStorm(executables.path("cni"), { count: 64, operations: 10_000, seed });
  console.log(JSON.stringify({ ...end.report, problems: end.report.problems.length }));
  expect(judgeStorm(end)).toEqual([]);
});
