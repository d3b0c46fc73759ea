// Vectors that serve no queue: kept off the CPUs of others, held there, put back.

import { expect, test } from "vitest";

import { describeNode } from "../../../tuning/node-report.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { createTuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const reserved = { housekeeping: [0, 1, 4] };

test("go to the housekeeping CPUs of the VF's node, the fewest on each, and back when the pod is gone", async () => {
  using node = createTuningNode(3);
  for (const vf of [0, 1, 2]) node.attach(vf, `web-${vf}`);
  await passOnce(node.host, undefined, reserved);
  const mailboxes = (): readonly (string | undefined)[] =>
    [0, 1, 2].map((vf) => node.affinities(vf).split(" ").at(2));
  expect(mailboxes()).toEqual(["0", "1", "0"]);
  const { plans } = await passOnce(node.host, undefined, reserved);
  expect(plans.flatMap(({ pins }) => pins)).toEqual([]);
  for (const vf of [0, 1, 2]) node.detach(vf, `web-${vf}`);
  await passOnce(node.host);
  expect([0, 1, 2].map((vf) => node.affinities(vf))).toEqual(Array.from({ length: 3 }, () => "0-3 0-3 0-3"));
});

test("are left alone on a node whose CPUs are all for everybody", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0 1 0-3");
});

test("go to other nodes where the VF's has none, and stay where there are none at all", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  await passOnce(node.host, undefined, { housekeeping: [] });
  expect(node.affinities(0)).toBe("0 1 0-3");
  await passOnce(node.host, undefined, { housekeeping: [6] });
  expect(node.affinities(0)).toBe("0 1 6");
});

test("that somebody moved are drift, and are put back", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const memory = createPassMemory(node.host);
  await passOnce(node.host, memory, reserved);
  node.setAffinity(0, 2, "1");
  const { undone } = await passOnce(node.host, memory, reserved);
  expect([...undone.values()]).toEqual([[2]]);
  expect(node.affinities(0)).toBe("0 1 0");
});

test("move when a pod gets their CPU for itself, and stay when all CPUs are free again", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  await passOnce(node.host, undefined, reserved);
  await passOnce(node.host, undefined, { housekeeping: [2] });
  expect(node.affinities(0)).toBe("0 1 2");
  expect(await listWrites(node)).toEqual([]);
});

test("go to another housekeeping CPU when theirs goes offline, which nobody undid, and to none that is offline", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const memory = createPassMemory(node.host);
  await passOnce(node.host, memory, reserved);
  expect(node.affinities(0)).toBe("0 1 0");
  node.setOnline("1-7");
  for (const msiIndex of [0, 2]) node.setAffinity(0, msiIndex, "1-7");
  const { undone } = await passOnce(node.host, memory, reserved);
  expect([[...undone.values()], node.affinities(0).split(" ").at(2)]).toEqual([[], "1"]);
  node.setOnline("2-7");
  node.setAffinity(0, 2, "2-7");
  await passOnce(node.host, memory, { housekeeping: [0, 1] });
  expect(node.affinities(0).split(" ").at(2)).toBe("2-7");
});

test("are no queue while their handler is gone", async () => {
  using node = createTuningNode(1, "ice");
  node.attach(0, "web-1");
  await passOnce(node.host, undefined, reserved);
  expect(node.affinities(0)).toBe("0 1 0");
  node.close(0, "net1");
  const { plans } = await passOnce(node.host, undefined, reserved);
  expect(plans.flatMap(({ pins }) => pins)).toEqual([]);
  expect(plans.map(({ cpus, mailboxes }) => [[...cpus.keys()], [...mailboxes.keys()]])).toEqual([
    [[0, 1], [2]],
  ]);
});

test("that somebody moves again and again rest as others do, and are told as contested", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const memory = createPassMemory(node.host);
  await passOnce(node.host, memory, reserved);
  for (let times = 0; times < 3; times += 1) {
    node.setAffinity(0, 2, "1");
    await passOnce(node.host, memory, reserved);
  }
  node.setAffinity(0, 2, "1");
  const report = await passOnce(node.host, memory, reserved);
  expect([report.contested.map(({ msiIndex }) => msiIndex), node.affinities(0)]).toEqual([[2], "0 1 1"]);
  const { vfs } = describeNode(report, { counts: new Map() });
  expect(vfs[0]?.vectors.map(({ step }) => step)).toEqual(["keep", "keep", "contested"]);
});
