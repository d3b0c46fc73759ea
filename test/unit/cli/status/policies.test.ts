// What virtfn status tells of interrupt policies: the one in force, who asked for which, and why CPUs are left out.

import { expect, test } from "vitest";

import type { NodeView } from "../../../../cli/node/device-view.ts";
import { runStatus } from "../../../../cli/status/main.ts";
import { createTuningNode, type TuningNode } from "../../../support/tuning-node.ts";

async function status({ host }: TuningNode, ...args: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const output = { print: (text: string) => void printed.push(text), isTerminal: false };
  await runStatus(host, args, { ...output, signal: new AbortController().signal });
  return printed.join("");
}

async function policiesOf(node: TuningNode): Promise<readonly unknown[]> {
  const { vfs } = JSON.parse(await status(node, "--json")) as NodeView;
  return vfs.map(({ policy }) => policy);
}

test("a policy that cannot be met is told, with what is done instead", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "follow-pod" } }));
  const fallback = "the pod has no CPUs for itself, using numa-spread";
  expect(await status(node)).toContain(`0000:3b:02.0 policy follow-pod: ${fallback}`);
  expect(await policiesOf(node)).toEqual([
    {
      policy: "numa-spread",
      askedPolicy: "follow-pod",
      askedBy: "pod or network",
      candidates: "0-3",
      leftOut: { "on NUMA node 1": "4-7" },
      notes: [fallback],
    },
  ]);
});

test("the policy of the node is told of VFs in pods, with its CPUs and why it leaves out the others", async () => {
  using node = createTuningNode(2);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "tuning: { policy: explicit, cpus: 2-5 }");
  node.attach(0, "web-1");
  expect(await policiesOf(node)).toEqual([
    {
      policy: "explicit",
      askedPolicy: "explicit",
      askedBy: "node",
      candidates: "2-5",
      leftOut: { "not in the list 2-5": "0-1,6-7" },
      notes: [],
    },
    undefined,
  ]);
});
