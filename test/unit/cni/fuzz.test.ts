// Generated calls: an answer or a coded error, never a crash, and nothing changed on an error. In full: npm run soak.

import { expect, test } from "vitest";

import { runFuzz } from "../../support/cni-fuzz-run.ts";

test("1,000 generated calls", async () => {
  const seen = await runFuzz(1000, 42);
  expect([...seen.keys()]).toEqual(expect.arrayContaining(["given", 0, 1, 4, 6, 7, 8, 11]));
}, 120_000);
