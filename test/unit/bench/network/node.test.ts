// Tests what runTurns of test/bench/network/node.ts does with a policy that fell back; its commands only noted.

import { expect, test } from "vitest";

import { type NodeSetting, runTurns } from "../../../bench/network/node.ts";
import { planTurns } from "../../../bench/network/run-plan.ts";
import type { Command } from "../../../bench/network/step.ts";

const vfs = ["0000:3b:02.0", "0000:3b:02.1"];
const message = "no core of the VF's NUMA node is free to be dedicated, using numa-spread";
const fallen = {
  vfs: vfs.map((address) => ({
    address,
    policy: "numa-spread",
    askedPolicy: "dedicated",
    askedBy: "network",
  })),
  problems: vfs.map((vf) => ({ vf, about: "policy", code: "FALLBACK", message })),
};

async function unused(): Promise<never> {
  throw new Error("nothing is measured");
}

/** A node whose tuning always falls back. */
function createNode() {
  const calls: string[] = [];
  const notes: string[] = [];
  const run = async ({ argv, env }: Command): Promise<string> => {
    calls.push(`${argv.join(" ")} ${env?.["CNI_COMMAND"] ?? ""}`.trim());
    return argv[0] === "virtfn" ? JSON.stringify(fallen) : "";
  };
  const setting: NodeSetting = {
    pf: "ens1f0",
    namespaces: 2,
    cni: "virtfn-cni",
    virtfn: "virtfn",
    vfSteps: [],
    readVfs: async () => vfs,
    options: { tests: ["TCP_RR"], processes: 1, seconds: 1, warmUpSeconds: 1 },
    clients: { reach: unused, load: unused },
    signal: new AbortController().signal,
    measured: () => expect.unreachable("nothing is measured"),
    note: (text) => notes.push(text),
  };
  return { run, setting, calls, notes };
}

test("a variant whose policy is not in force is taken down, told with the reason, and not tried again", async () => {
  const { run, setting, calls, notes } = createNode();
  const fellBack = await runTurns(run, planTurns(["sriov-dedicated"], 3, 1), setting);
  expect(fellBack).toEqual([{ round: 1, variant: "sriov-dedicated" }]);
  expect(notes).toEqual([
    `sriov-dedicated: left out from round 1 on: policy dedicated is not in force: ${message}`,
  ]);
  expect(calls).toEqual([
    "ip netns add vbench-0",
    "ip netns add vbench-1",
    "virtfn-cni ADD",
    "virtfn-cni ADD",
    "virtfn tuning --once --json",
    "virtfn-cni DEL",
    "virtfn-cni DEL",
    "virtfn tuning --once --json",
    "ip netns del vbench-1",
    "ip netns del vbench-0",
  ]);
});
