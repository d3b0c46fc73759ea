// VFs of pods that ended without a DEL: `virtfn repair` tells and puts them back, and so does tuning's loop by itself.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { productNamespace } from "../demo/install.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts } from "../support/node-scripts.ts";
import { type ProductContainer, readContainer } from "../support/product-pod.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { kubectl, node } = lab;
const vf = "0000:21:10.4";
const pods = ["lost-1", "lost-2"].map(barePod) as [BarePod, BarePod];
const config = {
  cniVersion: "1.0.0",
  name: "repair",
  type: "virtfn",
  deviceID: vf,
  vlan: 7,
  mac: "02:aa:bb:cc:dd:07",
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const records = "ls /var/lib/virtfn/attachments";
const leases = "cd /var/lib/cni/networks/repair && ls -d 192.* || true";
let tuning: ProductContainer;
let before = "";

beforeAll(async () => {
  before = await readVfState(node);
  tuning = await readContainer(lab, "tuning");
});

afterEach(async () => {
  await node.run(`kill -CONT ${tuning.pid}`);
});

afterAll(async () => {
  await removePods(node, pods);
  await node.run("rm -rf /var/lib/cni/networks/repair");
});

test("repair --dry-run names the VF and changes nothing; repair puts it back and frees its address", async () => {
  await node.run(`kill -STOP ${tuning.pid}`);
  await loseVf(pods[0]);
  const command = (...args: readonly string[]): Promise<string> =>
    kubectl.execInPod({ pod: tuning.pod, namespace: productNamespace, container: "tuning" }, [
      "virtfn",
      "repair",
      ...args,
    ]);
  expect(await command("--dry-run")).toContain(vf);
  expect([await node.run(records), await node.run(leases)]).toEqual([`${vf}.json`, "192.0.2.2"]);
  expect(await command()).toContain(vf);
  expect([await node.run(records), await node.run(leases)]).toEqual(["", ""]);
  await node.run(`kill -CONT ${tuning.pid}`);
  await waitForVfState(node, before);
});

test("within two minutes tuning's loop does it by itself", async () => {
  // A pin that no interrupt has followed when the namespace goes stays until the VF is up again (ERR_AFFINITY_PENDING).
  await node.run(`kill -STOP ${tuning.pid}`);
  await loseVf(pods[1]);
  await node.run(`kill -CONT ${tuning.pid}`);
  await waitUntil("the repair", async () => expect(await node.run(records)).toBe(""), { timeoutMs: 120_000 });
  expect(await node.run(leases)).toBe("");
  await waitForVfState(node, before);
});

/** Gives the VF to the pod and takes the pod's namespace away, as a node does whose runtime lost the sandbox. */
async function loseVf(pod: BarePod): Promise<void> {
  await makeNamespaces(node, [pod]);
  const view = { hasOwnMounts: true, prelude: mountKubeletView([vf], { [pod.uid]: [vf] }) };
  const [added] = await runScripts(
    node,
    [formatCall({ command: "ADD", config, ...pod, ifName: "net1" })],
    view,
  );
  readAdded(added);
  await node.run(`ip netns del ${pod.name}`);
}
