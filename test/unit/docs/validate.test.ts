// What the pages show as configurations is right, as `virtfn validate` sees it.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { validateText } from "../../../cli/validate/validate-text.ts";

const root = resolve(import.meta.dirname, "../../..");

function blocksOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/```(?:json|yaml)\n(.*?)```/gs)].map(([, block]) => String(block));
}

test.each([
  ["docs/cni.md", 4],
  ["README.md", 1],
  ["docs/tuning.md", 2],
])("%s", (page, least) => {
  const files = blocksOf(page)
    .map((block) => validateText(page, block, { prefix: "sriov" }))
    .filter(({ documents }) => !documents.includes("unknown"));
  expect(files.length).toBeGreaterThanOrEqual(least);
  expect(files.flatMap(({ problems }) => problems)).toEqual([]);
});
