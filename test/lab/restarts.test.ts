// What of virtfn is killed on a node while pods have VFs: the devices are allocatable again soon, and the pods notice nothing. Kubelet and containerd: churn.test.ts.
import { afterAll, beforeAll, expect, test } from "vitest";
import { getPods } from "./cluster/wait-for.ts";
import { forwardPodResources } from "./cluster/pod-resources.ts";
import { demoVfs } from "./demo/steps.ts";
import { readPodVfs } from "./demo/pod-vfs.ts";
import { deletePods, startPods } from "./demo/pods.ts";
import { waitForAllocatable } from "./support/allocatable.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { type ContainerName, readContainer } from "./support/product-pod.ts";
import { waitUntil } from "./wait-until.ts";

const lab = await openLabUnderTest();
const forwarded = await forwardPodResources(lab.node, lab.handle.netns);
const pods = ["stays-1", "stays-2"] as const;
const backWithinMs = 20_000;
// The kubelet starts a container that ended lately, as with the node, after 10 s only, and looks for it now and then.
const restartWithinMs = 60_000;

beforeAll(async () => {
  await startPods(lab, { "stays-1": 1, "stays-2": 1 });
});

afterAll(async () => {
  await forwarded[Symbol.asyncDispose]();
  await deletePods(lab, pods);
});

test("deviceplugin is killed", async () => {
  const before = await readPods();
  const restartCount = await kill("deviceplugin");
  await waitForAllocatable(forwarded, 0, backWithinMs);
  await waitForRestart("deviceplugin", restartCount);
  await expectAllocatable();
  expect(await waitForPods()).toEqual(before);
});

test("tuning is killed", async () => {
  const before = await readPods();
  const restartCount = await kill("tuning");
  await waitForRestart("tuning", restartCount);
  await expectAllocatable();
  expect(await waitForPods()).toEqual(before);
});

/** Kills the container's first process; gives how often the container had been restarted before. */
async function kill(name: ContainerName): Promise<number> {
  const { pid, restartCount } = await readContainer(lab, name);
  await lab.node.run(`kill -KILL ${pid}`);
  return restartCount;
}

/** All that must stay as it is: the pods' containers, VFs, masks and pins. */
async function readPods(): Promise<unknown> {
  const [found, vfs] = await Promise.all([getPods(lab.kubectl, pods), readPodVfs(lab, pods)]);
  const kept = found.map(({ metadata, status }) => ({
    uid: metadata.uid,
    phase: status.phase,
    containers: status.containerStatuses?.map((container) => container.containerID),
  }));
  return { kept, vfs };
}

/** What readPods gives as soon as exec works in them. */
async function waitForPods(): Promise<unknown> {
  return await waitUntil("exec in the pods", readPods, { timeoutMs: backWithinMs });
}

async function expectAllocatable(): Promise<void> {
  await waitForAllocatable(forwarded, demoVfs, backWithinMs);
}

async function waitForRestart(name: ContainerName, before: number): Promise<void> {
  const look = async (): Promise<void> => {
    const { restartCount } = await readContainer(lab, name);
    if (restartCount === before) throw new Error(`restart count is still ${before}`);
  };
  await waitUntil(`restart of ${name}`, look, { timeoutMs: restartWithinMs });
}
