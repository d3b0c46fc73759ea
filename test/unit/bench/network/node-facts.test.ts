// Tests whyRefuse and whyNoVariant of test/bench/network/node-facts.ts.

import { expect, test } from "vitest";

import { type PfFacts, whyNoVariant, whyRefuse } from "../../../bench/network/node-facts.ts";

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
