// Tests test/bench/network/node-facts.ts: what is seen of the interface under test, and why the bench does not run.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import {
  findLeftovers,
  type PfFacts,
  readPfFacts,
  whyNoVariant,
  whyRefuse,
} from "../../../bench/network/node-facts.ts";
import { writeFolder } from "../../../support/fixture-folder.ts";
import { createTuningNode } from "../../../support/tuning-node.ts";

const options = { variants: ["sriov-untuned"], namespaces: 6 } as const;
const sriov = { address: "0000:3b:00.0", totalVfs: 8, vfs: [], users: [] };
const free: PfFacts = { name: "ens1f0", isUp: true, uses: [], sriov };

async function unused(): Promise<never> {
  throw new Error("a command was run");
}

test("an unused PF is taken, with VFs that are made or enough that are there", () => {
  expect(whyRefuse(options, free, [])).toEqual([]);
  const vfs = Array.from({ length: 6 }, (_, at) => `0000:3b:02.${at}`);
  expect(whyRefuse(options, { ...free, sriov: { ...sriov, vfs } }, [])).toEqual([]);
});

test("every reason is told at once", () => {
  const used = { ...sriov, vfs: ["0000:3b:02.0"], users: ["pod shop/web has 0000:3b:02.0"] };
  const pf = { ...free, uses: ["it belongs to br0"], sriov: used };
  expect(whyRefuse(options, pf, ["ip netns del vbench-0"])).toEqual([
    "something of a run before is there; end that run, or: ip netns del vbench-0",
    "ens1f0 is in use: it belongs to br0",
    "a VF of ens1f0 is in use: pod shop/web has 0000:3b:02.0",
    "6 namespaces need as many VFs, there are 1: remove them, or make more",
  ]);
});

test("VFs in use matter to every variant, their number to SR-IOV alone", () => {
  const users = ["the node has 0000:3b:02.0"];
  const pf = { ...free, sriov: { ...sriov, totalVfs: 2, users } };
  expect(whyRefuse({ ...options, variants: ["host"] }, pf, [])).toEqual([
    "a VF of ens1f0 is in use: the node has 0000:3b:02.0",
  ]);
  expect(whyRefuse(options, pf, [])).toHaveLength(2);
});

/** `ip -j -d address show` of a node with a PF, and what lies on it. */
async function showLinks(more: object, ...others: readonly object[]): Promise<string> {
  return JSON.stringify([
    { ifname: "lo", flags: ["UP"] },
    { ifname: "ens1f0", flags: ["UP"], ...more },
    ...others,
  ]);
}

test("a pod that has a VF of the PF is seen by its record, and one that the bench could take is not in use", async () => {
  using node = createTuningNode(2);
  const look = async () => readPfFacts(async () => showLinks({}), "ens1f0", node.host);
  const before = await look();
  expect(before).toMatchObject({ isUp: true, uses: [], sriov: { totalVfs: 8, users: [] } });
  expect(whyRefuse({ ...options, namespaces: 2 }, before, [])).toEqual([]);
  node.attach(1, "web-2");
  expect(whyRefuse({ ...options, namespaces: 2 }, await look(), [])).toEqual([
    `a VF of ens1f0 is in use: pod shop/web-2 has ${node.address(1)}`,
    `a VF of ens1f0 is in use: the interface of ${node.address(1)} is in another network namespace`,
  ]);
});

test("an address, a bridge, and what lies on the interface are uses; a link's own address and the other end of a veth are none", async () => {
  using node = createTuningNode(1);
  const addresses = [
    { scope: "link", local: "fe80::1" },
    { scope: "global", local: "192.0.2.1" },
  ];
  const { uses } = await readPfFacts(
    async () =>
      showLinks(
        { master: "br0", addr_info: addresses },
        { ifname: "ens1f0.5", link: "ens1f0", flags: [], linkinfo: { info_kind: "vlan" } },
        { ifname: "veth1", link: "ens1f0", flags: [], linkinfo: { info_kind: "veth" } },
      ),
    "ens1f0",
    node.host,
  );
  expect(uses).toEqual(["it has the address 192.0.2.1", "it belongs to br0", "ens1f0.5 lies on it"]);
});

test("an interface that is not there is told with those that are", async () => {
  using node = createTuningNode(1);
  await expect(readPfFacts(async () => showLinks({}), "ens9", node.host)).rejects.toThrow(
    "no interface ens9 in this network namespace; there are lo, ens1f0",
  );
});

test.each(["sriov-follow-pod", "sriov-pod-sibling", "sriov-pod-first-core"] as const)(
  "%s has nothing to go by without pods: no command is needed to tell",
  async (variant) => {
    expect(await whyNoVariant(unused, variant)).toBe(
      `policy ${variant.slice("sriov-".length)} goes by CPUs that the kubelet gave to a pod alone, and the bench has no pods: numa-spread would be measured`,
    );
  },
);

test("other variants with SR-IOV need nothing of the machine but their programs", async () => {
  expect(await whyNoVariant(async () => "", "sriov-dedicated")).toBeUndefined();
  expect(
    await whyNoVariant(async () => {
      throw new Error("sh -c command -v irqbalance: not found");
    }, "sriov-irqbalance"),
  ).toContain("this machine cannot make it");
});

/** `ip -j link show` of a node with these links. */
async function listLinks(...names: readonly string[]): Promise<string> {
  return JSON.stringify(names.map((ifname) => ({ ifname })));
}

test("what a killed run left is found with the commands that take it away", async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "virtfn-run-"));
  try {
    expect(await findLeftovers(async () => listLinks("lo", "ens1f0"), folder)).toEqual([]);
    writeFolder(folder, { "netns/vbench-1": "", "netns/others": "", "vbench-irqbalance.pid": "77" });
    expect(await findLeftovers(async () => listLinks("lo", "vbench-br"), folder)).toEqual([
      `kill $(cat ${folder}/vbench-irqbalance.pid); rm ${folder}/vbench-irqbalance.pid`,
      "ip netns del vbench-1",
      "ip link del vbench-br",
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
