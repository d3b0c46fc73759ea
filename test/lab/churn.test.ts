// Kubelet and containerd restart while pods come and go: each pod that runs has its VF, the others notice nothing, nothing is left.
import { afterAll, beforeAll, expect, test } from "vitest";
import { forwardPodResources } from "./cluster/pod-resources.ts";
import { getPods, type Pod } from "./cluster/wait-for.ts";
import { productNamespace } from "./demo/install.ts";
import { vfDeployment } from "./demo/manifests.ts";
import { readPodVfs } from "./demo/pod-vfs.ts";
import { deletePods, startPods } from "./demo/pods.ts";
import { demoVfs } from "./demo/steps.ts";
import { readVfState, waitForVfState } from "./demo/vf-state.ts";
import { waitForAllocatable } from "./support/allocatable.ts";
import { listDeploymentPods, waitForFreshPods, waitForOwners } from "./support/deployment-pods.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { readContainer } from "./support/product-pod.ts";
import { waitUntil } from "./wait-until.ts";

const lab = await openLabUnderTest();
const forwarded = await forwardPodResources(lab.node, lab.handle.netns);
const stays = ["stays"];
const churn = ["churn"];
const replicas = 3;
const backWithinMs = 120_000;
const allocatableWithinMs = 20_000;
let before = "";

beforeAll(async () => {
  before = await readVfState(lab.node);
  await startPods(lab, { stays: 1 });
  await lab.kubectl.apply([vfDeployment({ name: "churn", replicas, vfs: 1, image: lab.toolsImage })]);
});

afterAll(async () => {
  await forwarded[Symbol.asyncDispose]();
  await endChurn();
  await deletePods(lab, stays);
});

test.for(["kubelet", "containerd"])(
  "%s restarts while pods end and others start",
  async (unit, { annotate }) => {
    const old = await waitForChurn([]);
    const kept = await readStays();
    await lab.kubectl.run(["delete", "pod", "-l", "app=churn", "--wait=false"]);
    await lab.node.run(`systemctl restart ${unit}`);
    const backMs = await waitForAllocatable(forwarded, demoVfs, allocatableWithinMs);
    await annotate(`devices at the kubelet ${(backMs / 1000).toFixed(1)} s after the restart`);
    const fresh = await waitForChurn(old);
    await waitForOwners(lab, [...fresh, ...(await getPods(lab.kubectl, stays))]);
    expect(await readStays()).toEqual(kept);
    const failed = (await listDeploymentPods(lab, churn)).filter(({ status }) => status.phase === "Failed");
    await annotate(`pods that the kubelet failed meanwhile: ${describe(failed) || "none"}`);
    // A pod that was admitted before the plugin was back is the kubelet's doing; any other failure is not.
    expect(failed.filter(({ status }) => status.reason !== "UnexpectedAdmissionError")).toEqual([]);
  },
);

test("the container tuning, which has none of the kubelet's folders, sees the plugin's sockets in the node's", async () => {
  const doctor = await waitUntil("a healthy node", () => inTuning("doctor"), { timeoutMs: backWithinMs });
  expect(doctor).toMatch(/^plugin-sockets +ok +the device plugin serves sriov\/vf$/m);
  expect(await inTuning("status")).not.toContain("the device plugin does not run");
});

test("when they are gone every VF is as it was", async () => {
  await endChurn();
  await deletePods(lab, stays);
  await waitForVfState(lab.node, before);
  expect((await waitForOwners(lab, [])).records).toEqual([]);
});

/** Output of a command of virtfn, which failed when its exit code is not 0. */
async function inTuning(command: string): Promise<string> {
  const { pod } = await readContainer(lab, "tuning");
  const target = { pod, namespace: productNamespace, container: "tuning" };
  return await lab.kubectl.execInPod(target, ["virtfn", command]);
}

async function waitForChurn(old: readonly Pod[]): Promise<readonly Pod[]> {
  return await waitForFreshPods(lab, churn, { wanted: replicas, before: old, timeoutMs: backWithinMs });
}

/** What must stay as it is of the pod that nobody deletes; exec works again some seconds after the kubelet's start. */
async function readStays(): Promise<unknown> {
  return await waitUntil("exec in the pod that stays", lookAtStays, { timeoutMs: backWithinMs });
}

async function lookAtStays(): Promise<unknown> {
  const found = await getPods(lab.kubectl, stays);
  const containers = found.map(({ metadata, status }) => [
    metadata.uid,
    status.containerStatuses?.map(({ containerID }) => containerID),
  ]);
  return { containers, vfs: await readPodVfs(lab, stays) };
}

async function endChurn(): Promise<void> {
  const options = { timeoutMs: 120_000 };
  const gone = ["delete", "deployment", ...churn, "--ignore-not-found", "--cascade=foreground"];
  await lab.kubectl.run(gone, options);
  await lab.kubectl.run(["delete", "pod", "-l", "app=churn", "--ignore-not-found"], options);
}

function describe(pods: readonly Pod[]): string {
  return pods.map(({ metadata, status }) => `${metadata.name} ${status.reason}`).join(", ");
}
