// What a pass does with what it reads back, where the kernel, the driver, or somebody who is quicker made something else of it.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { readTuningRecord } from "../../../sriov/tuning-store.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import type { PassReport } from "../../../tuning/pass.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** The node where somebody has one interrupt on CPU 3 again as soon as it was written. */
function contending(node: TuningNode, irq: number | undefined): Host {
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      node.host.files.writeText(path, path.endsWith(`/${irq}/smp_affinity_list`) ? "3" : text);
    },
  };
  return { ...node.host, files };
}

function configure({ host }: TuningNode, yaml: string): void {
  host.files.writeAtomic(host.paths.nodeConfig, yaml);
}

function problemsOf({ problems }: PassReport): readonly string[] {
  return problems.map(({ about, code, message }) => `${about} ${code}: ${message}`);
}

test("a pin that reads back differently is a problem, does not count as made, and is tried again soon", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const [tx] = node.irqs(0);
  const report = await passOnce(contending(node, tx));
  expect(problemsOf(report)).toEqual([`vector 0 PARTIAL: pinned IRQ ${tx} to CPU 0, read back "3"`]);
  expect([...report.applied.values()].map(({ result, pinned }) => [result, pinned])).toEqual([
    ["unsettled", [1]],
  ]);
  expect(report.isUnfinished).toBe(true);
});

test("it was written all the same: what was before is put back when the pod is gone", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const host = contending(node, node.irqs(0)[0]);
  const memory = createPassMemory(host);
  for (let pass = 0; pass < 2; pass += 1) await passOnce(host, memory);
  expect(node.affinities(0)).toBe("3 1 0-3");
  expect(readTuningRecord(node.host, node.address(0))?.vectors).toEqual([
    { msiIndex: 0, original: "0-3", cpu: 0 },
    { msiIndex: 1, original: "0-3", cpu: 1 },
  ]);
  node.detach(0, "web-1");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0-3 0-3 0-3");
});

test("somebody who undoes a pin before it is read back is found out as any other, and left alone", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const host = contending(node, node.irqs(0)[0]);
  const memory = createPassMemory(host);
  const changes: string[] = [];
  for (let pass = 0; pass < 6; pass += 1) {
    const { contestChanges } = await passOnce(host, memory);
    changes.push(...contestChanges.map(({ is, pin }) => `${is}: vector ${pin.msiIndex} by ${pin.by}`));
  }
  expect(changes).toEqual(["contested: vector 0 by unknown"]);
  const { problems, isUnfinished } = await passOnce(host, memory);
  expect([problems, isUnfinished]).toEqual([[], false]);
});

test("a value of which the kernel made another is told as long as it is so, and written once", async () => {
  using node = createTuningNode(1);
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  let writes = 0;
  const openSysfs: Host["namespaces"]["openSysfs"] = (netns) => {
    const sysfs = node.host.namespaces.openSysfs(netns);
    const writeText = (path: string, text: string): void => {
      if (!path.endsWith("/rps_flow_cnt")) return sysfs.writeText(path, text);
      writes += 1;
      sysfs.writeText(path, "4096");
    };
    return { ...sysfs, writeText };
  };
  const host = { ...node.host, namespaces: { ...node.host.namespaces, openSysfs } };
  const memory = createPassMemory(host);
  const path = "queues/rx-0/rps_flow_cnt";
  expect(problemsOf(await passOnce(host, memory))).toEqual([
    `${path} UNSUPPORTED: ${path} is asked for: wrote 32768, the kernel kept 4096`,
  ]);
  expect(problemsOf(await passOnce(host, memory))).toEqual([
    `${path} UNSUPPORTED: ${path} is asked for: it stays 4096`,
  ]);
  expect(writes).toBe(1);
  node.detach(0, "web-1");
  expect(problemsOf(await passOnce(host, memory))).toEqual([]);
});

test("a value of a queue that goes just then is tried again once the queue is back", async () => {
  using node = createTuningNode(1);
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  let isGone = true;
  const openSysfs: Host["namespaces"]["openSysfs"] = (netns) => {
    const sysfs = node.host.namespaces.openSysfs(netns);
    const writeText = (path: string, text: string): void => {
      if (isGone && path.endsWith("/rps_flow_cnt")) throw new SystemCallError("open", path, "ENOENT");
      sysfs.writeText(path, text);
    };
    return { ...sysfs, writeText };
  };
  const host = { ...node.host, namespaces: { ...node.host.namespaces, openSysfs } };
  const memory = createPassMemory(host);
  expect((await passOnce(host, memory)).problems.map(({ code }) => code)).toEqual(["ENOENT"]);
  isGone = false;
  expect(problemsOf(await passOnce(host, memory))).toEqual([]);
  expect(node.value("web-1", "queues/rx-0/rps_flow_cnt")).toBe("32768");
});

test("a thread that the kernel leaves more CPUs is told, and not tried again", async () => {
  using node = createTuningNode(1);
  configure(node, "tuning: { threadedNapi: true }");
  node.attach(0, "web-1");
  let calls = 0;
  const setCpus: Host["threads"]["setCpus"] = (pid) => {
    calls += 1;
    node.host.threads.setCpus(pid, [0, 1]);
  };
  const host = { ...node.host, threads: { ...node.host.threads, setCpus } };
  const memory = createPassMemory(host);
  await passOnce(host, memory);
  const [told, again] = [await passOnce(host, memory), await passOnce(host, memory)].map(problemsOf);
  expect(told).toEqual([
    "threads UNSUPPORTED: threads is asked for: napi/net1-1200 may run on CPUs 0-1, not on 1 alone",
  ]);
  expect(again).toEqual([
    "threads UNSUPPORTED: threads is asked for: napi/net1-1200 can't be moved to CPU 1",
  ]);
  expect(calls).toBe(1);
});

test("a driver that makes other channels than it was told is told, and not asked again", async () => {
  using node = createTuningNode(1, "ice");
  configure(node, "tuning: { policy: explicit, cpus: 1-3, channelPerCpu: true }");
  node.attach(0, "web-1");
  let calls = 0;
  const openEthtool: Host["openEthtool"] = (netns) => {
    const ethtool = node.host.openEthtool(netns);
    const setChannels: typeof ethtool.setChannels = (index) => {
      calls += 1;
      ethtool.setChannels(index, { combined: 2 });
    };
    return { ...ethtool, setChannels };
  };
  const host = { ...node.host, openEthtool };
  const memory = createPassMemory(host);
  expect(problemsOf(await passOnce(host, memory))).toEqual([
    "channels UNSUPPORTED: channels is asked for: set combined 3, the driver made combined 2",
  ]);
  expect(problemsOf(await passOnce(host, memory))).toEqual([
    "channels UNSUPPORTED: channels is asked for: the driver keeps combined 2",
  ]);
  expect(calls).toBe(1);
});

test("a node's table of socket flows that the kernel keeps smaller is a problem of the node", async () => {
  using node = createTuningNode(1);
  configure(node, "tuning: { rfs: true }");
  node.attach(0, "web-1");
  const table = join(node.fake.root, "proc/sys/net/core/rps_sock_flow_entries");
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (path === table) fs.writeFileSync(table, "16384\n");
      else node.host.files.writeText(path, text);
    },
  };
  const { problems } = await passOnce({ ...node.host, files });
  const name = "net.core.rps_sock_flow_entries";
  const message = `wrote ${name} 32768, the kernel kept 16384`;
  expect(problems).toEqual([{ vf: "node", about: name, code: "PARTIAL", message }]);
});
