// How often a pin that someone else undid is told.

import { expect, test } from "vitest";

import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { createTuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

test("counts a pin that was undone once, however long it can't be put back", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  const memory = createPassMemory(node.host);
  const undone = async (): Promise<readonly number[]> => {
    const report = await passOnce(node.host, memory);
    return [...report.undone.values()].flat();
  };
  expect(await undone()).toEqual([]);
  const lock = await node.host.locks.acquire(node.address(0));
  node.setAffinity(0, 1, "2");
  expect([await undone(), await undone()]).toEqual([[1], []]);
  node.setAffinity(0, 1, "3");
  expect([await undone(), await undone()]).toEqual([[1], []]);
  lock[Symbol.dispose]();
  expect([await undone(), await undone()]).toEqual([[], []]);
  expect(node.affinities(0)).toBe("0 1 0-3");
  node.setAffinity(0, 1, "3");
  expect([await undone(), await undone()]).toEqual([[1], []]);
});
