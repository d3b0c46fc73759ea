// GC of one network on the node: what the runtime does not list is freed, everything of another network stays.
import { afterAll, beforeAll, expect, test } from "vitest";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts, type ScriptResult } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
const vfs = ["0000:21:10.0", "0000:21:10.2", "0000:21:10.4"];
const pods = ["gone", "kept", "other"].map(barePod);
const [gone, kept, other] = pods as [BarePod, BarePod, BarePod];
const allocated = Object.fromEntries(pods.map(({ uid }, at) => [uid, vfs.slice(at, at + 1)]));
const view = { hasOwnMounts: true, prelude: mountKubeletView(vfs, allocated) };
const cni = { cniVersion: "1.1.0", type: "virtfn", vlan: 100 };
const blue = { ...cni, name: "gc-blue", ipam: { type: "host-local", subnet: "192.0.2.0/24" } };
const green = { ...cni, name: "gc-green", ipam: { type: "host-local", subnet: "198.51.100.0/24" } };
const ethernet = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] };

async function run(...scripts: readonly string[]): Promise<readonly ScriptResult[]> {
  return runScripts(lab.node, scripts, view);
}

/** Chained behind another plugin: the VF is net1, the attachment eth0. */
function add(pod: BarePod, network: object): string {
  const config = { ...network, prevResult: ethernet };
  return formatCall({ command: "ADD", config, ...pod, ifName: "eth0" });
}

beforeAll(async () => {
  await makeNamespaces(lab.node, pods);
});

afterAll(async () => {
  await removePods(lab.node, pods);
  await lab.node.run("rm -rf /var/lib/cni/networks/gc-*");
});

test("a network's GC frees what is not listed, and no VF or lease of a pod that is or of another network", async () => {
  const before = await readVfState(lab.node);
  const added = await run(add(gone, blue), add(kept, blue), add(other, green));
  for (const result of added) expect(readAdded(result)["interfaces"]).toHaveLength(2);
  const listed = [{ containerID: kept.containerId, ifname: "eth0" }];
  const gc = formatCall({ command: "GC", config: { ...blue, "cni.dev/valid-attachments": listed } });
  const [collected, records, leases, ...links] = await run(
    gc,
    "ls /var/lib/virtfn/attachments",
    "cd /var/lib/cni/networks; ls gc-blue/192.* gc-green/198.*",
    ...pods.map(({ name }) => `ip -n ${name} -br link show net1 2>&1 | cut -c1-4`),
  );
  expect(collected).toMatchObject({ exitCode: 0, stdout: "" });
  expect(records?.stdout.split("\n")).toEqual(vfs.slice(1).map((vf) => `${vf}.json`));
  expect(leases?.stdout.split("\n")).toEqual(["gc-blue/192.0.2.3", "gc-green/198.51.100.2"]);
  expect(links.map(({ stdout }) => stdout)).toEqual(["Devi", "net1", "net1"]);
  const nobody = [blue, green].map((network) =>
    formatCall({ command: "GC", config: { ...network, "cni.dev/attachments": [] } }),
  );
  expect((await run(...nobody)).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  await waitForVfState(lab.node, before);
});
