// Where pins go that somebody moved, that were there before, or whose CPU went away.

import { expect, test } from "vitest";

import { createTuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

test.each(["0-7", "2"])("puts a pin back that someone else moved to CPU %s", async (elsewhere) => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.setAffinity(0, 1, elsewhere);
  const report = await passOnce(node.host);
  expect([...report.undone]).toEqual([[node.address(0), [1]]]);
  expect(node.affinities(0)).toBe("0 1 0-3");
});

test("notes an interrupt that is where it shall be without a write to it, and holds it there", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  node.setAffinity(0, 0, "2");
  node.setAffinity(0, 1, "3");
  expect(await listWrites(node)).toEqual(["files.writeAtomic", "namespaces.openSysfs().writeText"]);
  node.setAffinity(0, 0, "0");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("2 3 0-3");
  node.detach(0, "web-1");
  expect(await listWrites(node)).toEqual(["files.remove"]);
});

test("moves a pin away from a CPU that went offline, which nobody undid", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  await passOnce(node.host);
  node.setOnline("0,2-7");
  node.setAffinity(0, 1, "0,2-7");
  const report = await passOnce(node.host);
  expect([...report.undone]).toEqual([]);
  expect(node.affinities(0)).toBe("0 2 0-3");
  expect(await listWrites(node)).toEqual([]);
});
