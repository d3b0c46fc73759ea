// RPS and XPS masks of queues in another network namespace, on the real kernel, looked at from inside by other means.

import { execFileSync } from "node:child_process";

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { countMaskGroups, formatCpuMask, parseCpuMask } from "../../../sriov/cpu-mask.ts";
import { maskFile, openQueues, type VfQueues } from "../../../tuning/vf-queues.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const queueFiles = "/sys/class/net/veth0/queues";

function makeVeth(txQueues = 1): TestNetns {
  const netns = createTestNetns();
  netns.ip(`link add veth0 numrxqueues 2 numtxqueues ${txQueues} type veth peer name veth1`);
  return netns;
}

function openIn(netns: TestNetns): VfQueues {
  const { namespaces } = createHost();
  using handle = namespaces.open(netns.path);
  if (handle === undefined) throw new Error(`cannot open ${netns.path}`);
  return openQueues(namespaces.openSysfs(handle), "veth0");
}

/** The file as a program inside the namespace sees it: `ip netns exec` mounts that namespace's sysfs. */
function lookInside(netns: TestNetns, queue: string): string {
  const command = ["netns", "exec", netns.name, "cat", `${queueFiles}/${queue}/${maskFile(queue)}`];
  return execFileSync("ip", command, { encoding: "utf8" }).trim();
}

test("queues of a netdev in another namespace are listed with their masks", () => {
  using netns = makeVeth();
  using queues = openIn(netns);
  expect(queues.read().map(({ queue, text }) => [queue, parseCpuMask(text)])).toEqual([
    ["rx-0", []],
    ["rx-1", []],
  ]);
});

test("a mask written is the one that is seen inside the namespace, and can be put back", () => {
  using netns = makeVeth();
  using queues = openIn(netns);
  const before = lookInside(netns, "rx-1");
  const written = queues.write("rx-1", formatCpuMask([0], countMaskGroups(before)));
  expect(parseCpuMask(written)).toEqual([0]);
  expect(parseCpuMask(lookInside(netns, "rx-1"))).toEqual([0]);
  expect(lookInside(netns, "rx-0")).toBe(before);
  expect(queues.write("rx-1", before)).toBe(before);
  expect(lookInside(netns, "rx-1")).toBe(before);
});

test("transmit queues are listed where there is a choice, and written too", () => {
  using netns = makeVeth(2);
  using queues = openIn(netns);
  expect(queues.read().map(({ queue }) => queue)).toEqual(["rx-0", "rx-1", "tx-0", "tx-1"]);
  const before = lookInside(netns, "tx-1");
  queues.write("tx-1", formatCpuMask([0], countMaskGroups(before)));
  expect(parseCpuMask(lookInside(netns, "tx-1"))).toEqual([0]);
  expect(queues.write("tx-1", before)).toBe(before);
});

test("a mask with more groups than the kernel prints is refused by name", () => {
  using netns = makeVeth();
  using queues = openIn(netns);
  const groups = countMaskGroups(lookInside(netns, "rx-0"));
  expect(() => queues.write("rx-0", formatCpuMask([0], groups + 1))).toThrow(/EOVERFLOW/);
});
