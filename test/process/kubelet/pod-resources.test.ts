// The PodResources client against a real kubelet: its rate limit, its way to say that a pod is unknown, and no kubelet at all.
import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { PodResources } from "../../../kubelet/pod-resources.ts";
import { machines } from "../../fixtures/machines.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { findUsableKubelet } from "../../support/kubelet-obstacle.ts";
import { RealKubelet } from "../../support/real-kubelet.ts";
import { waitFor } from "../../support/wait-for.ts";

const kubeletToRun = findUsableKubelet();

test("calls beyond the kubelet's rate limit are repeated, and an unknown pod is no error", async ({
  skip,
}) => {
  if ("obstacle" in kubeletToRun) return skip(kubeletToRun.obstacle);
  const { executable } = kubeletToRun;
  using tree = createFixtureTree(machines.igb);
  await using kubelet = await RealKubelet.start(tree.root, executable);
  using client = new PodResources(createHost({ root: tree.root }));
  await waitFor("the kubelet's PodResources", async () => isAnswering(client), 30_000);

  const answers = await Promise.all(Array.from({ length: 50 }, () => client.list()));
  expect(answers).toHaveLength(50);
  expect(await client.get("default", "nobody")).toBeUndefined();
  expect(kubelet.cri.containers).toEqual([]);
});

test("without a kubelet the error names method and socket", async () => {
  using tree = createFixtureTree(machines.igb);
  using client = new PodResources(createHost({ root: tree.root }), { timeoutMs: 500 });
  await expect(client.list()).rejects.toThrow(
    `asking the kubelet's PodResources API at ${tree.root}/var/lib/kubelet/pod-resources/kubelet.sock for List:`,
  );
});

async function isAnswering(client: PodResources): Promise<boolean> {
  return client.getAllocatable().then(
    () => true,
    () => false,
  );
}
