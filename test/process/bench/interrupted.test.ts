// A bench that is ended before its time takes away what it made: network namespaces, folders.

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";

import { createFolder, createNode, startBenchOf } from "../../support/bench-process.ts";
import { waitFor } from "../../support/wait-for.ts";

const compilingMs = 120_000;

test.each<[string, readonly string[], number]>([
  // The host's and two pods'.
  ["cni", ["--native", "--rounds", "1", "--calls", "1000000", "--concurrency", "2"], 3],
  ["metrics", ["--vfs", "8", "--rounds", "3000"], 8],
])("bench:%s ended by SIGTERM", async (name, args, namespaces) => {
  using node = createNode();
  using folder = createFolder("virtfn-interrupted-");
  const { child, said } = startBenchOf(name, node, args, { TMPDIR: folder.path });
  await waitFor("its namespaces", () => readdirSync(node.names).length === namespaces, compilingMs);
  child.kill("SIGTERM");
  const [stdout, stderr, exitCode] = await said;
  expect({ stdout, stderr, exitCode }).toMatchObject({ stdout: "", exitCode: 130 });
  expect(stderr).toContain("interrupted by SIGTERM");
  expect([readdirSync(node.names), readdirSync(folder.path)]).toEqual([[], []]);
});
