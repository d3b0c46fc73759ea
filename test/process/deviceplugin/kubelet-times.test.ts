// How long the device plugin takes until a real kubelet knows: each event of a node, timed from the event to PodResources.
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { machines } from "../../fixtures/machines.ts";
import { KubeletNode } from "../../support/kubelet-node.ts";
import { findUsableKubelet } from "../../support/kubelet-obstacle.ts";
import { createTestNetns, type TestNetns, whyNoLinkKind } from "../../support/netns.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

const resource = "sriov/vf";
const pf = "0000:01:00.0";
const vf = "0000:01:10.2";
const kubeletToRun = findUsableKubelet();
const kubeletStartMs = 30_000;

/** One event of the node; gives the milliseconds until the kubelet knew. */
interface Event {
  readonly name: string;
  readonly goalMs: number;
  readonly happen: (node: KubeletNode, netns: TestNetns) => Promise<number>;
}

const config = (pfNames: string): object => ({
  resourceList: [{ resourceName: "vf", selectors: { pfNames: [pfNames] } }],
});

const events: readonly Event[] = [
  { name: "start of the plugin", goalMs: 1_500, happen: (node) => startPlugin(node) },
  { name: "VF count 7 -> 3", goalMs: 2_000, happen: (node) => setNumVfs(node, 3) },
  { name: "VF count 3 -> 0", goalMs: 2_000, happen: (node) => setNumVfs(node, 0) },
  { name: "VF count 0 -> 7", goalMs: 2_000, happen: (node) => setNumVfs(node, 7) },
  { name: "a VF without driver", goalMs: 2_000, happen: (node) => setDriver(node, undefined, 6) },
  { name: "its driver again", goalMs: 2_000, happen: (node) => setDriver(node, "igbvf", 7) },
  { name: "the PF renamed", goalMs: 2_000, happen: (...at) => rename(...at, "ens1f0", "p0", 0) },
  { name: "its name again", goalMs: 2_000, happen: (...at) => rename(...at, "p0", "ens1f0", 7) },
  { name: "a ConfigMap swapped", goalMs: 2_000, happen: (node) => swapConfig(node, "ens1f0#0-1", 2) },
  { name: "and swapped back", goalMs: 2_000, happen: (node) => swapConfig(node, "ens1f0", 7) },
  { name: "the PF's carrier lost", goalMs: 1_000, happen: (...at) => setCarrier(...at, "down", 0) },
  { name: "the PF's carrier back", goalMs: 1_000, happen: (...at) => setCarrier(...at, "up", 7) },
  { name: "the plugin's socket removed", goalMs: 2_000, happen: (node) => removeSocket(node) },
  { name: "the kubelet restarted", goalMs: 2_000, happen: (node) => restartKubelet(node) },
  { name: "the plugin killed and started", goalMs: 2_000, happen: (node) => killPlugin(node) },
];

describe.each(["plugins_registry", "device-plugins"])("through %s", (way) => {
  test("the kubelet knows of each event before the next look; the figures tell how long it took", async ({
    skip,
    onTestFailed,
  }) => {
    if ("obstacle" in kubeletToRun) return skip(kubeletToRun.obstacle);
    const { executable } = kubeletToRun;
    const linkProblem = whyNoLinkKind("bridge");
    if (linkProblem !== undefined) return skip(linkProblem);
    using netns = createNodeNetns();
    await using node = new KubeletNode(machines.igb, {
      way,
      executable,
      netns: netns.path,
    });
    node.mountConfig(config("ens1f0"));
    await node.startKubelet();
    onTestFailed(() => console.error(node.kubelet.logTail()));
    await node.waitForKubelet(kubeletStartMs);
    const rows: string[] = [];
    const missed: string[] = [];
    for (const { name, goalMs, happen } of events) {
      const tookMs = Math.round(await happen(node, netns));
      const told = tookMs > goalMs ? ", late" : "";
      rows.push(`${name.padEnd(30)} ${String(tookMs).padStart(5)} ms of ${goalMs}${told}`);
      if (tookMs > beforeNextLookMs) missed.push(name);
    }
    console.log(`until the kubelet knew, through ${way}:\n${rows.join("\n")}`);
    expect(missed).toEqual([]);
  });
});

/** The node's links: the PF is a bridge, whose carrier is that of its port. */
function createNodeNetns(): TestNetns {
  const netns = createTestNetns();
  netns.ip("link add ens1f0 type bridge forward_delay 0");
  netns.ip("link add port type veth peer name wire");
  netns.ip("link set port master ens1f0");
  for (const name of ["ens1f0", "port", "wire"]) netns.ip(`link set ${name} up`);
  return netns;
}

async function startPlugin(node: KubeletNode): Promise<number> {
  node.startPlugin();
  return node.waitForAllocatable(resource, 7, beforeNextLookMs);
}

async function setNumVfs(node: KubeletNode, count: number): Promise<number> {
  node.tree.setNumVfs(pf, count);
  node.plugin.sendUevent();
  return node.waitForAllocatable(resource, count);
}

async function setDriver(node: KubeletNode, driver: string | undefined, count: number): Promise<number> {
  node.tree.setDriver(vf, driver);
  node.plugin.sendUevent();
  return node.waitForAllocatable(resource, count);
}

async function rename(
  node: KubeletNode,
  netns: TestNetns,
  from: string,
  to: string,
  count: number,
): Promise<number> {
  node.tree.rename(pf, to);
  netns.ip(`link set ${from} name ${to}`);
  return node.waitForAllocatable(resource, count);
}

async function swapConfig(node: KubeletNode, pfNames: string, count: number): Promise<number> {
  node.mountConfig(config(pfNames));
  return node.waitForAllocatable(resource, count);
}

async function setCarrier(
  node: KubeletNode,
  netns: TestNetns,
  state: "up" | "down",
  count: number,
): Promise<number> {
  netns.ip(`link set wire ${state}`);
  return node.waitForAllocatable(resource, count);
}

/** From the kubelet's first answer on. */
async function restartKubelet(node: KubeletNode): Promise<number> {
  await node.kubelet.stop();
  node.kubelet.start();
  await node.waitForKubelet(kubeletStartMs);
  return node.waitForAllocatable(resource, 7, beforeNextLookMs);
}

async function removeSocket(node: KubeletNode): Promise<number> {
  const folder = join(node.tree.root, "var/lib/kubelet", node.way);
  const socket = fs.readdirSync(folder).find((name) => /vf.*\.sock$/.test(name)) ?? "";
  const before = countRegistrations(node);
  const startMs = performance.now();
  fs.rmSync(join(folder, socket));
  await waitFor("another registration", () => countRegistrations(node) > before);
  await node.waitForAllocatable(resource, 7);
  return performance.now() - startMs;
}

function countRegistrations(node: KubeletNode): number {
  return node.plugin.lines.filter(({ msg }) => msg === "the kubelet holds the device list").length;
}

async function killPlugin(node: KubeletNode): Promise<number> {
  await node.plugin.end("SIGKILL");
  await node.waitForAllocatable(resource, 0);
  return startPlugin(node);
}
