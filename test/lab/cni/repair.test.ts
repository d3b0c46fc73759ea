// VFs of pods that ended without a DEL: `virtfn repair` tells and puts them back, and so does tuning's loop by itself.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { productNamespace } from "../demo/install.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded, readAnswer } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts, type ScriptResult } from "../support/node-scripts.ts";
import { type ProductContainer, readContainer } from "../support/product-pod.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { kubectl, node } = lab;
const vf = "0000:21:10.4";
const pods = ["lost-1", "lost-2", "ended", "next"].map(barePod) as [BarePod, BarePod, BarePod, BarePod];
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
  await setCable(true);
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

test("with the PF's cable out a pod with a rate ends; its VF owes the rate, and repair puts it back once there is a link", async () => {
  const settings = { ...config, max_tx_rate: 100 };
  const readRate = "ip link show ens1 | grep -o 'vf 2 .*' | grep -o 'tx rate [0-9]*' || true";
  const [, , ended, next] = pods;
  await makeNamespaces(node, [ended, next]);
  readAdded(await callAdd(ended, settings));
  await setCable(false);
  const script = formatCall({ command: "DEL", config: settings, ...ended, ifName: "net1" });
  const told = await node.run(`${script} 2>&1 && ip netns del ${ended.name}`);
  expect(told).toContain("as its PF has no link");
  expect([await node.run(records), await node.run(leases)]).toEqual([`${vf}.json`, ""]);
  expect(await node.run(readRate)).toBe("tx rate 100");
  // With mounts of its own this call cannot tell that the namespace is gone: the record alone keeps the VF.
  const refused = readAnswer(await callAdd(next, config)).json;
  expect(refused).toMatchObject({
    code: 11,
    msg: expect.stringContaining(`cannot give ${vf} to pod`) as string,
  });
  await setCable(true);
  await waitUntil("the repair", async () => expect(await node.run(records)).toBe(""), { timeoutMs: 120_000 });
  expect(await node.run(readRate)).toBe("");
  await waitForVfState(node, before);
});

/** Plugs the cable of the first PF in or out; its driver knows when this returns. */
async function setCable(up: boolean): Promise<void> {
  await node.qmp(async (qmp) => qmp.execute("set_link", { name: "pf0", up }));
  const carrier = "cat /sys/class/net/ens1/carrier";
  const expected = up ? "1" : "0";
  await waitUntil("the carrier", async () => expect(await node.run(carrier)).toBe(expected), {
    timeoutMs: 20_000,
  });
}

/** Gives the VF to the pod and takes the pod's namespace away, as a node does whose runtime lost the sandbox. */
async function loseVf(pod: BarePod): Promise<void> {
  await makeNamespaces(node, [pod]);
  readAdded(await callAdd(pod, config));
  await node.run(`ip netns del ${pod.name}`);
}

/** ADD of the VF for the pod, which has it of the kubelet. */
async function callAdd(pod: BarePod, settings: object): Promise<ScriptResult> {
  const view = { hasOwnMounts: true, prelude: mountKubeletView([vf], { [pod.uid]: [vf] }) };
  const script = formatCall({ command: "ADD", config: settings, ...pod, ifName: "net1" });
  const [result] = await runScripts(node, [script], view);
  if (result === undefined) throw new Error("no result");
  return result;
}
