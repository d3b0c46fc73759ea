// virtfn validate of files with 60,000 entries: seconds, where comparing every two of them takes minutes.

import { expect, test } from "vitest";

import { ValidateFolder } from "../../../support/validate-folder.ts";

const count = 60_000;

test.each([
  ["resources", "resourceList:", (at: number) => `- resourceName: r${at}`],
  ["limits of resources", "limits:", (at: number) => `  sriov/r${at}: {trust: off}`],
  ["networks", "networks:", (at: number) => `- resource: sriov/r${at}`],
])("%s, of which the last stands there twice", async (_what, head, entry) => {
  using folder = new ValidateFolder();
  const lines = Array.from({ length: count }, (_, at) => entry(at));
  const twice = [head, ...lines, entry(7)].join("\n");
  expect(await folder.validate(twice)).toMatch(new RegExp(`^x:${count + 2}:3: .*\nexit 1$`, "u"));
});
