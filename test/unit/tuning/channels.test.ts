// As many channels as CPUs, by choice: set once for a pod before its interrupts are pinned, and put back.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import type { Attachment } from "../../../sriov/attachment.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { readNetdevNotes, restoreNotedChannels } from "../../../sriov/netdev-notes.ts";
import { readTuningRecord } from "../../../sriov/tuning-store.ts";
import { run } from "../../../tuning/main.ts";
import type { NodeFacts } from "../../../tuning/node-facts.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const noUevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
const twoCpus = "tuning: { policy: explicit, cpus: 2-3, channelPerCpu: true }";

function configure({ host }: TuningNode, yaml: string): void {
  host.files.writeAtomic(host.paths.nodeConfig, yaml);
}

/** A node of a driver with four channels for each VF, one of which a pod has. */
function makeNode(yaml: string, change?: (record: Attachment) => Attachment): TuningNode {
  const node = createTuningNode(3, "ice");
  configure(node, yaml);
  node.attach(0, "web-1", change);
  return node;
}

function own(...cpus: readonly number[]): Partial<NodeFacts> {
  return { exclusive: new Map([["shop/web-1", cpus]]) };
}

test("a VF keeps its channels unless somebody asks for others", async () => {
  using node = makeNode("tuning: { policy: explicit, cpus: 2-3 }");
  await passOnce(node.host);
  expect(node.channels("web-1")).toBe(4);
});

test("it has one for each CPU that its interrupts may go to, and they are pinned then", async () => {
  using node = makeNode(twoCpus);
  await passOnce(node.host);
  expect(node.channels("web-1")).toBe(2);
  expect(node.affinities(0)).toBe("2 3 0-3");
  node.fake.endProcess();
  expect(await listWrites(node)).toEqual([]);
});

test("no more than the driver has", async () => {
  using node = makeNode("tuning: { policy: explicit, cpus: 0-7, channelPerCpu: true }");
  node.limitChannels("web-1", 6);
  await passOnce(node.host);
  expect(node.channels("web-1")).toBe(6);
});

test("pins before it are no drift afterwards", async () => {
  using node = makeNode("tuning: { policy: explicit, cpus: 2-3 }");
  await passOnce(node.host);
  configure(node, twoCpus);
  const { undone } = await passOnce(node.host);
  expect([...undone]).toEqual([]);
  expect(node.affinities(0)).toBe("2 3 0-3");
});

test("pins of before are taken back first, so that what was before them is what is put back", async () => {
  using node = makeNode("tuning: { policy: explicit, cpus: 2-3 }");
  await passOnce(node.host);
  configure(node, twoCpus);
  await passOnce(node.host);
  node.detach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0-3 0-3 0-3");
});

test("the number of CPUs changes afterwards: a pod's traffic is not interrupted for that", async () => {
  using node = makeNode(twoCpus);
  await passOnce(node.host);
  configure(node, twoCpus.replace("2-3", "0-3"));
  await passOnce(node.host);
  expect(node.channels("web-1")).toBe(2);
});

test("where queues are dealt out over the pod's own CPUs they follow their number", async () => {
  using node = makeNode("tuning: { policy: follow-pod, channelPerCpu: true }");
  await passOnce(node.host, createPassMemory(node.host), own(1, 2, 3));
  expect(node.channels("web-1")).toBe(3);
  await passOnce(node.host, createPassMemory(node.host), own(1, 2));
  expect(node.channels("web-1")).toBe(2);
});

test("what somebody else makes of them stays", async () => {
  using node = makeNode(twoCpus);
  await passOnce(node.host);
  node.setChannels("web-1", 1);
  await passOnce(node.host);
  expect(node.channels("web-1")).toBe(1);
});

test("a network that asks for a number has that one", async () => {
  using node = makeNode(twoCpus, (record) => ({
    ...record,
    original: { ...record.original, sizes: { channels: { combined: 4 } } },
  }));
  await passOnce(node.host);
  expect(node.channels("web-1")).toBe(4);
});

test.each(["policy: explicit, cpus: 2-3", "policy: none, channelPerCpu: true"])(
  "with %s they are as before",
  async (settings) => {
    using node = makeNode(twoCpus);
    await passOnce(node.host);
    configure(node, `tuning: { ${settings} }`);
    await passOnce(node.host);
    expect(node.channels("web-1")).toBe(4);
    expect(readTuningRecord(node.host, node.address(0))?.channels).toBeUndefined();
  },
);

test("--restore puts them back in a running pod", async () => {
  using node = makeNode(twoCpus);
  await passOnce(node.host);
  expect(await run({ ...node.host, uevents: noUevents }, ["--restore"], () => {})).toBe(0);
  expect(node.channels("web-1")).toBe(4);
  expect(node.affinities(0)).toBe("0-3 0-3 0-3");
});

test("--dry-run tells of them and changes nothing", async () => {
  using node = makeNode(twoCpus);
  const texts: string[] = [];
  await run({ ...node.host, uevents: noUevents }, ["--once", "--dry-run"], (text) => void texts.push(text));
  expect(texts.join("")).toMatch(/channels +combined 4 +combined 2 +write/);
  expect(node.channels("web-1")).toBe(4);
});

test("DEL puts them back, by what tuning noted for that owner", async () => {
  using node = makeNode(twoCpus);
  const { host } = node;
  const { owner } = node.attach(1, "web-2");
  await passOnce(host);
  node.detach(1, "web-2");
  const vf = readVf(host, node.address(1));
  using netlink = host.openNetlink();
  const index = netlink.getLink({ name: "ens1f0v1" })?.index ?? 0;
  using ethtool = host.openEthtool();
  if (vf === undefined) throw new Error("no VF");
  restoreNotedChannels(host, index, readNetdevNotes(host, vf, { ...owner, containerId: "another" }));
  expect(ethtool.getChannels(index)?.combined?.value).toBe(2);
  restoreNotedChannels(host, index, readNetdevNotes(host, vf, owner));
  expect(ethtool.getChannels(index)?.combined?.value).toBe(4);
});

test("a driver that refuses is told of once and not asked again, and everything else is tuned", async () => {
  using node = makeNode(twoCpus);
  let calls = 0;
  const host: Host = {
    ...node.host,
    openEthtool: (netns) => ({
      ...node.host.openEthtool(netns),
      setChannels: () => {
        calls += 1;
        throw new NetlinkError("set channels", "EINVAL");
      },
    }),
  };
  const memory = createPassMemory(host);
  for (let pass = 0; pass < 3; pass += 1) {
    const { problems } = await passOnce(host, memory);
    expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["channels UNSUPPORTED"]);
  }
  expect(calls).toBe(1);
  expect(node.affinities(0)).toBe("2 3 0-3");
  expect(readTuningRecord(node.host, node.address(0))?.channels).toBeUndefined();
});

test("a driver without channels is told of", async () => {
  using node = createTuningNode();
  configure(node, twoCpus);
  node.attach(0, "web-1");
  const { problems } = await passOnce(node.host);
  expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["channels UNSUPPORTED"]);
  expect(node.affinities(0)).toBe("2 3 0-3");
});
