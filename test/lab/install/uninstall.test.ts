// Taking virtfn off the node as README.md says: refused while a pod has a VF; then the node's text is the one of before the install.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installVirtfn, productNamespace, waitForRollout } from "../demo/install.ts";
import { deletePods, startPods } from "../demo/pods.ts";
import { demoVfs } from "../demo/steps.ts";
import { renderForLab } from "../support/lab-manifests.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { readKeptNodeText, readNodeText } from "../support/node-text.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { kubectl, node } = lab;
const user = "uninstall-user";

beforeAll(async () => {
  await startPods(lab, { [user]: 1 });
  await kubectl.apply(await renderForLab(lab, "kustomize/overlays/uninstall"));
});

afterAll(async () => {
  await deletePods(lab, [user]);
  await installVirtfn(kubectl, demoVfs);
});

test("while a pod has a VF it refuses, names the pod, and leaves the pod's DEL what it needs", async () => {
  await waitUntil("the refusal", expectRefusal, { timeoutMs: 120_000, intervalMs: 1000 });
  expect(await node.run("ls /opt/cni/bin/virtfn /var/lib/virtfn/attachments/*.json | wc -l")).toBe("2");
});

test("without pods it ends, and the node's text is the one of before the install", async () => {
  await deletePods(lab, [user]);
  await waitForRollout(kubectl, "virtfn");
  const overlay = fileURLToPath(new URL("../../../deploy/kustomize/overlays/uninstall", import.meta.url));
  await kubectl.run(["delete", "-k", overlay, "--wait=true"], { timeoutMs: 120_000 });
  expect(await readNodeText(node)).toBe(readKeptNodeText(lab.handle));
});

async function expectRefusal(): Promise<void> {
  const log = await kubectl.run(["logs", "-n", productNamespace, "daemonset/virtfn", "-c", "uninstall"]);
  if (!log.includes(`default/${user}`)) throw new Error(log);
}
