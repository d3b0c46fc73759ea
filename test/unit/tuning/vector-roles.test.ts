// Interrupts of a driver whose handlers' names tell nothing: those that NAPI polls are queues.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** A VF in a pod whose interrupts have these handlers. */
function makeNode(actions: readonly string[]): TuningNode {
  const node = createTuningNode(1, "ice");
  node.attach(0, "web-1");
  node.close(0, "net1");
  for (const [at, irq] of node.irqs(0).entries())
    fs.mkdirSync(join(node.fake.root, `proc/irq/${irq}/${actions[at]}`));
  return node;
}

/** The kernel tells of NAPI instances with these interrupts. */
function withNapis({ host }: TuningNode, irqs: readonly (number | undefined)[]): Host {
  const list = () => irqs.map((irq, id) => ({ id, irq, pid: undefined }));
  return { ...host, openNapis: () => ({ list, [Symbol.dispose]: () => {} }) };
}

test("the kernel tells which of them are queues", async () => {
  using node = makeNode(["mgmt@pci", "blk0@pci", "blk1@pci"]);
  const [, first, second] = node.irqs(0);
  const { plans } = await passOnce(withNapis(node, [first, second]));
  expect(node.affinities(0)).toBe("0-3 0 1");
  expect(plans[0]?.target.vectors.map(({ role }) => role)).toEqual([
    { kind: "other" },
    { kind: "queue", direction: "both", queue: 0 },
    { kind: "queue", direction: "both", queue: 1 },
  ]);
});

test("where it does not they stay where they are, which is a problem", async () => {
  using node = makeNode(["mgmt@pci", "blk0@pci", "blk1@pci"]);
  const facts = { housekeeping: [3] };
  const { problems } = await passOnce(withNapis(node, [undefined, undefined]), undefined, facts);
  expect(node.affinities(0)).toBe("0-3 0-3 0-3");
  expect(problems.map(({ about, code, message }) => `${about} ${code}: ${message}`)).toEqual([
    "vectors UNSUPPORTED: none of its 3 interrupts (mgmt@pci, blk0@pci, blk1@pci) is known to serve a queue: they are not placed",
  ]);
});

test("they stay on their CPUs while the interface is down, when it tells nothing", async () => {
  using node = makeNode(["mgmt@pci", "blk0@pci", "blk1@pci"]);
  const [, first, second] = node.irqs(0);
  const facts = { housekeeping: [3] };
  await passOnce(withNapis(node, [first, second]), undefined, facts);
  expect(node.affinities(0)).toBe("3 0 1");
  const { problems, applied } = await passOnce(withNapis(node, []), undefined, facts);
  expect(problems).toEqual([]);
  expect([...applied.values()].map(({ pinned, masks }) => [pinned, masks])).toEqual([[[], []]]);
  expect(node.affinities(0)).toBe("3 0 1");
});

test("it is not asked about a driver whose names tell", async () => {
  using node = makeNode(["net1-TxRx-0", "net1-TxRx-1", "net1"]);
  let asked = 0;
  const openNapis: Host["openNapis"] = (netns) => {
    asked += 1;
    return node.host.openNapis(netns);
  };
  await passOnce({ ...node.host, openNapis });
  expect(node.affinities(0)).toBe("0 1 0-3");
  expect(asked).toBe(0);
});
