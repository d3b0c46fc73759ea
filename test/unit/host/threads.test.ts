// CPU sets as the kernel reads them: whole words, the lowest bit first.

import { expect, test } from "vitest";

import { encodeCpuSet } from "../../../host/threads.ts";

test.each([
  [[], "0000000000000000"],
  [[0], "0100000000000000"],
  [[1, 9], "0202000000000000"],
  [[63], "0000000000000080"],
  [[64], "00000000000000000100000000000000"],
])("CPUs %j are %s", (cpus, expected) => {
  expect(Buffer.from(encodeCpuSet(cpus)).toString("hex")).toBe(expected);
});
