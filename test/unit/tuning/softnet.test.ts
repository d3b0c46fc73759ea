// /proc/net/softnet_stat of kernels with and without the number of the CPU.

import { expect, test } from "vitest";

import { parseSoftnet } from "../../../tuning/softnet.ts";

test("a new kernel names the CPU of each line, so an offline one may be missing", () => {
  const text = `0009d1fb 0000000a 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
000013ab 00000000 0000001f 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000000 00000000
`;
  expect(parseSoftnet(text)).toEqual([
    { cpu: 0, dropped: 10, squeezed: 1 },
    { cpu: 3, dropped: 0, squeezed: 31 },
  ]);
});

test("an old kernel's lines are counted", () => {
  const line =
    "00000001 00000002 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000";
  expect(parseSoftnet(`${line}\n${line}\n`).map(({ cpu }) => cpu)).toEqual([0, 1]);
});

test.each(["", "\n", "not found\n", "0001 0002\n"])("%j tells nothing", (text) => {
  expect(parseSoftnet(text)).toEqual([]);
});
