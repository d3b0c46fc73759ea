// Where Multus cannot be built its tests are skipped, with the reason: what Go said, not how it was called.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { openCache } from "../../../lab/prepare/cache.ts";
import { provideMultus } from "../../../lab/prepare/multus.ts";
import { createWorkshop, type Workshop } from "../../../lab/prepare/workshop.ts";

const folder = mkdtempSync(join(tmpdir(), "virtfn-multus-"));

afterAll(() => rmSync(folder, { recursive: true }));

/** A workshop whose programs, called with arguments as long as the real ones', end as `script` does. */
function makeWorkshop(script: string): Workshop {
  const runContained: Workshop["runContained"] = async (command, args) =>
    (await execa("sh", ["-c", script, command, ...args, "x".repeat(300)])).stdout;
  const progress = { step: () => ({ note: () => {}, done: () => {} }) };
  return { ...createWorkshop({ progress }), cache: openCache(folder), runContained };
}

test("what Go said last is the reason", async () => {
  const script = "echo 'go: downloading a' >&2; echo 'go: module b: connection refused' >&2; exit 1";
  expect(await provideMultus(makeWorkshop(script))).toEqual({
    reason: "no Multus: go: module b: connection refused",
  });
  expect(await provideMultus(makeWorkshop("exit 3"))).toEqual({
    reason: expect.stringContaining("exit code 3") as string,
  });
});
