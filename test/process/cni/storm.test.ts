// 64 pods at once on 64 stand-in VFs, with the real locks, moves and leases, and processes killed at any moment. In full: npm run soak.

import { existsSync } from "node:fs";
import { expect, test } from "vitest";

import { judgeStorm, runStorm } from "../../support/storm.ts";
import { compileExecutables } from "../../support/executables.ts";

test("600 ADDs and DELs at once, some of them killed, leave nothing behind", async ({ skip }) => {
  if (!existsSync("/usr/lib/cni/host-local"))
    skip("there is no /usr/lib/cni/host-local (Debian: containernetworking-plugins)");
  await using executables = await compileExecutables({ cni: "test/support/stand-in-cni-main.ts" });
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  expect(judgeStorm(await runStorm(executables.path("cni"), { count: 64, operations: 600, seed }))).toEqual(
    [],
  );
}, 180_000);
