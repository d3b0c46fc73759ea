// What `--once --dry-run` says of a pass: for each interrupt where it is, comes and shall be; for each VF its policy, and why not each other CPU.

import { expect, test } from "vitest";

import { writePodCpus } from "../../../sriov/pod-cpus.ts";
import { run } from "../../../tuning/main.ts";
import type { NodeReport } from "../../../tuning/node-report.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const noUevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

async function dryRun({ host }: TuningNode, ...more: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const args = ["--once", "--dry-run", ...more];
  await run({ ...host, uevents: noUevents }, args, (text) => void printed.push(text));
  return printed.join("");
}

async function reportOf(node: TuningNode): Promise<NodeReport> {
  return JSON.parse(await dryRun(node, "--json")) as NodeReport;
}

/** Each interrupt of VF 0 came so often on CPU 0 and on CPU 3. */
function count(node: TuningNode, ...came: readonly (readonly [number, number])[]): void {
  const rows = came.map(([on0, on3], at) => `${node.irqs(0)[at]}: ${on0} ${on3} PCI-MSI`);
  writeFolder(node.fake.root, { "proc/interrupts": ["     CPU0 CPU3", ...rows].join("\n") });
}

test("each interrupt: what it is, where it is and comes, how often in all and in a second, and where it shall be", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  count(node, [800, 0], [900, 5], [3, 0]);
  node.fake.clock.after(500, () => count(node, [800, 0], [930, 15], [3, 0]));
  const [tx, rx, mailbox] = node.irqs(0);
  expect((await reportOf(node)).vfs[0]?.vectors).toEqual([
    {
      msiIndex: 0,
      irq: tx,
      role: "tx 0",
      affinity: "0-3",
      effective: "0",
      count: 800,
      perSecond: 0,
      cameOn: "",
      cpu: 0,
      step: "pin",
    },
    {
      msiIndex: 1,
      irq: rx,
      role: "rx 0",
      affinity: "0-3",
      effective: "0",
      count: 945,
      perSecond: 40,
      cameOn: "0,3",
      cpu: 1,
      step: "pin",
    },
    {
      msiIndex: 2,
      irq: mailbox,
      role: "other",
      affinity: "0-3",
      effective: "0",
      count: 3,
      perSecond: 0,
      cameOn: "",
      step: "leave",
    },
  ]);
});

test("a pin counts as proven by where the interrupt came meanwhile, not by what the hardware was told", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  await passOnce(node.host);
  const [tx, rx] = node.irqs(0);
  writeFolder(node.fake.root, { [`proc/irq/${rx}/effective_affinity_list`]: "1" });
  count(node, [0, 0], [0, 0]);
  node.fake.clock.after(500, () => count(node, [7, 0], [0, 9]));
  const { vfs } = await reportOf(node);
  expect(vfs[0]?.vectors.map(({ irq, step, isConfirmed }) => [irq, step, isConfirmed])).toEqual([
    [tx, "keep", true],
    [rx, "keep", false],
    [node.irqs(0)[2], "leave", undefined],
  ]);
});

test("the policy that is in force, the one that was asked for and by whom, its CPUs, and why each other is none", async () => {
  using node = createTuningNode(2);
  writeFolder(node.fake.root, { "sys/devices/system/cpu/isolated": "3" });
  const exclusive = new Map([["shop/db", [2]]]);
  writePodCpus(node.host, { exclusive, allocatable: [1, 2, 3, 4, 5, 6, 7] });
  node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "pod-first-core" } }));
  node.attach(1, "web-2", (record) => ({ ...record, tuning: { policy: "housekeeping" } }));
  const report = await reportOf(node);
  const fallback = "the pod has no CPUs for itself, using numa-spread";
  expect(report.vfs).toMatchObject([
    {
      address: node.address(0),
      pod: "shop/web-1",
      interface: "net1",
      numaNode: 0,
      policy: "numa-spread",
      askedPolicy: "pod-first-core",
      askedBy: "pod or network",
      candidates: "0-1",
      leftOut: { "exclusive to pod shop/db": "2", isolated: "3", "on NUMA node 1": "4-7" },
      notes: [fallback],
    },
    {
      address: node.address(1),
      policy: "housekeeping",
      askedPolicy: "housekeeping",
      candidates: "0",
      leftOut: { "no housekeeping CPU": "1-7" },
      notes: [],
    },
  ]);
  expect(report.problems).toEqual([
    { vf: node.address(0), about: "policy", code: "FALLBACK", message: fallback },
  ]);
});

test("what steers packets, and what is put back, as it is and as it shall be", async () => {
  using node = createTuningNode(2, "ice");
  node.attach(0, "web-1");
  node.addQueues("web-1");
  node.attach(1, "web-2");
  await passOnce(node.host);
  node.detach(1, "web-2");
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "tuning: { rps: explicit, rpsCpus: 5 }");
  const { vfs, restore } = await reportOf(node);
  expect(vfs[0]?.rps).toEqual([
    { queue: "rx-0", now: "0e", to: "00000020" },
    { queue: "rx-1", now: "0d", to: "00000020" },
  ]);
  expect(vfs[0]?.xps?.map(({ queue, now, to }) => [queue, now === to])).toEqual([
    ["tx-0", true],
    ["tx-1", true],
  ]);
  expect(restore).toEqual([node.address(1)]);
  expect(await dryRun(node)).toContain(`${node.address(1)}: no pod holds it, to be put back as it was\n`);
});

test("nothing is written, whatever is due", async () => {
  using node = createTuningNode(2);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "tuning: { rfs: true, threadedNapi: true }");
  node.attach(0, "web-1");
  const before = [node.fake.toText(), node.affinities(0), node.mask("web-1"), await reportOf(node)];
  expect([node.fake.toText(), node.affinities(0), node.mask("web-1"), await reportOf(node)]).toEqual(before);
  expect(node.host.files.list(node.host.paths.tuningState) ?? []).toEqual([]);
  expect((await listWrites(node)).length).toBeGreaterThan(3);
});

test("on a node without a VF in a pod it says so", async () => {
  using node = createTuningNode(1);
  expect(await dryRun(node)).toBe("no VF is attached to a pod\n");
});
