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

test("counts nothing against the next pod that got the VF between two passes: DEL puts its interrupts back", async () => {
  using node = createTuningNode();
  node.attach(0, "web-0");
  const memory = createPassMemory(node.host);
  await passOnce(node.host, memory);
  for (let times = 1; times <= 5; times += 1) {
    node.detach(0, `web-${times - 1}`);
    node.setAffinity(0, 0, "0-3");
    node.setAffinity(0, 1, "0-3");
    node.attach(0, `web-${times}`);
    const { undone, contested } = await passOnce(node.host, memory);
    expect([[...undone], contested, node.affinities(0)]).toEqual([[], [], "0 1 0-3"]);
  }
  node.setAffinity(0, 1, "3");
  expect([...(await passOnce(node.host, memory)).undone.values()]).toEqual([[1]]);
});
