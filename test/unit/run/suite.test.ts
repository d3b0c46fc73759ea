// What `npm test` ends with: a row for each suite, what was skipped or failed and why, and the one line that CI reads.

import { expect, test } from "vitest";

import { formatSummary, runCommand } from "../../run/suite.ts";

const unit = { name: "unit", passed: 12, failed: 0, skipped: 0, notes: [], seconds: 3.21 };
const netns = {
  name: "netns",
  passed: 3,
  failed: 1,
  skipped: 2,
  notes: [
    "skipped: links of kind dummy: no such module",
    "skipped: channels: no such driver",
    "failed: netns/link.test.ts > moves a link: expected 1 to be 2",
  ],
  seconds: 61,
};

test("the times of each suite, a reason for each skipped test, and the sum as the last line", () => {
  expect(formatSummary([unit, netns])).toMatchInlineSnapshot(`
    "suite            passed  failed  skipped   seconds
    unit                 12       0       0       3.2
    netns                 3       1       2      61.0
    skipped: links of kind dummy: no such module
    skipped: channels: no such driver
    failed: netns/link.test.ts > moves a link: expected 1 to be 2
    15 passed, 1 failed, 2 skipped"
  `);
});

test("nothing is said of skipped tests where there are none", () => {
  expect(formatSummary([unit]).split("\n").at(-1)).toBe("12 passed, 0 failed");
});

test("a command counts as one test, which fails with it", async () => {
  expect(await runCommand("build", "true", [])).toMatchObject({ passed: 1, failed: 0, skipped: 0 });
  expect(await runCommand("build", "false", [])).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
});
