// Steering masks of a VF: XPS set, kept, put back, and left alone; both in as many groups as the kernel has.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { maskFile } from "../../../tuning/vf-queues.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const off = { config: parseTuningConfig({ xps: "off" }, "tuning").config };

/** A pod with a VF of two queues, whose driver had all CPUs send through tx-1. */
function openNode() {
  const node = createTuningNode(1, "ice");
  const record = node.attach(0, "web-1");
  node.addQueues("web-1");
  setMask(node, "tx-1", "ff");
  return { node, record };
}

function setMask(node: TuningNode, queue: string, mask: string): void {
  fs.writeFileSync(pathOf(node, queue), `${mask}\n`);
}

function pathOf({ fake }: TuningNode, queue: string): string {
  const sysfs = fake.kernel.mounted.get("/run/netns/web-1")?.sysfs ?? "";
  return join(sysfs, "class/net/net1/queues", queue, maskFile(queue));
}

function xps(node: TuningNode): readonly string[] {
  return ["tx-0", "tx-1"].map((queue) => node.mask("web-1", queue));
}

test("each CPU sends through the queue with the nearest interrupt, and stays with it", async () => {
  const { node } = openNode();
  using _node = node;
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0 1 0-3");
  expect(xps(node)).toEqual(["0,2,4,6", "1,3,5,7"]);
  expect(await listWrites(node)).toEqual([]);
  setMask(node, "tx-0", "ff");
  await passOnce(node.host);
  expect(xps(node)).toEqual(["0,2,4,6", "1,3,5,7"]);
});

test("masks stay as they are while the interface is down and its handlers are gone", async () => {
  const { node } = openNode();
  using _node = node;
  await passOnce(node.host);
  const before = [node.mask("web-1"), node.mask("web-1", "rx-1"), ...xps(node)];
  node.close(0, "net1");
  expect(await listWrites(node)).toEqual([]);
  expect([node.mask("web-1"), node.mask("web-1", "rx-1"), ...xps(node)]).toEqual(before);
});

test("with xps off it stays as it is, and as it was before where tuning had set it", async () => {
  const { node } = openNode();
  using _node = node;
  await passOnce(node.host, undefined, off);
  expect(xps(node)).toEqual(["", "0-7"]);
  await passOnce(node.host);
  await passOnce(node.host, undefined, off);
  expect(xps(node)).toEqual(["", "0-7"]);
});

test("what the pod before had is nothing that the next one gets", async () => {
  const { node } = openNode();
  using _node = node;
  await passOnce(node.host);
  node.detach(0, "web-1");
  node.attach(0, "web-2");
  const own = node.fake.kernel.mounted.get("/run/netns/web-2")?.sysfs ?? "";
  fs.writeFileSync(join(own, "class/net/net1/queues/tx-1/xps_cpus"), "0f\n");
  await passOnce(node.host, undefined, off);
  expect(node.mask("web-2", "tx-1")).toBe("0-3");
});

test("policy none puts it back", async () => {
  const { node, record } = openNode();
  using _node = node;
  await passOnce(node.host);
  writeAttachment(node.host, { ...record, tuning: { policy: "none" } });
  await passOnce(node.host);
  expect(xps(node)).toEqual(["", "0-7"]);
});

test("of one transmit queue, or where it can't be told whose interrupt is whose, nothing is written", async () => {
  using node = createTuningNode(1);
  const record = node.attach(0, "web-1");
  setMask(node, "tx-0", "0f");
  await passOnce(node.host);
  expect(node.mask("web-1", "tx-0")).toBe("0-3");
  node.addQueues("web-1");
  await passOnce(node.host);
  setMask(node, "tx-0", "01");
  writeAttachment(node.host, { ...record, tuning: { policy: "none" } });
  await passOnce(node.host);
  expect(xps(node)).toEqual(["0", ""]);
});

test("a kernel for 64 CPUs has masks of two groups: they are written so, and put back as they were", async () => {
  const { node } = openNode();
  using _node = node;
  const queues = ["rx-0", "rx-1", "tx-0", "tx-1"];
  const texts = (): readonly string[] =>
    queues.map((queue) => fs.readFileSync(pathOf(node, queue), "utf8").trim());
  const before = ["00000000,00000001", "00000000,00000000", "00000000,00000000", "00000000,000000ff"];
  for (const [at, mask] of before.entries()) setMask(node, queues[at] ?? "", mask);
  const { problems } = await passOnce(node.host);
  expect(problems).toEqual([]);
  expect(texts()).toEqual([
    "00000000,0000000e",
    "00000000,0000000d",
    "00000000,00000055",
    "00000000,000000aa",
  ]);
  await passOnce(node.host, undefined, { config: parseTuningConfig({ policy: "none" }, "tuning").config });
  expect(texts()).toEqual(before);
});
