// A pod that is force-deleted while its container takes its time to stop, on a node with no other VF free.
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoVfs } from "./demo/steps.ts";
import { vfPod } from "./demo/manifests.ts";
import { readPodVfs } from "./demo/pod-vfs.ts";
import { deletePods, startPods, waitForReadyPods } from "./demo/pods.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";

const lab = await openLabUnderTest();
const others = { others: demoVfs - 1 };

beforeAll(async () => {
  await startPods(lab, others);
});

afterAll(async () => {
  await deletePods(lab, [...Object.keys(others), "heir"]);
});

test("the next pod gets its VF and runs", async () => {
  await lab.kubectl.apply([vfPod({ name: "slow", vfs: 1, image: lab.toolsImage, slowStopSeconds: 10 })]);
  await waitForReadyPods(lab, ["slow"]);
  const [slow] = await readPodVfs(lab, ["slow"]);
  await lab.kubectl.run(["delete", "pod", "slow", "--grace-period=0", "--force"]);
  await startPods(lab, { heir: 1 });
  const [heir, ...more] = await readPodVfs(lab, ["heir"]);
  expect(more).toEqual([]);
  expect(heir?.pciAddress).toBe(slow?.pciAddress);
});
