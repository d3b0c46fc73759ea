// Chained, the records of a pod's VFs lost, and no result of ADD: runtimes hand DEL none before CNI 0.4.0.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { sampleAttachment } from "../../support/attachment-arbitrary.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const network = { cniVersion: "0.3.1", name: "cluster", type: "virtfn", networks: [{ vlan: 7, ipam }] };
const only = { cniVersion: "0.3.1", name: "lan", type: "virtfn", vlan: 7, ipam };
const prevResult = { cniVersion: "0.3.1", interfaces: [{ name: "eth0" }], ips: [] };
const call = { ifName: "eth0" };
const vfs = ["0000:3b:02.0", "0000:3b:02.2"];
const done = { exitCode: 0, json: undefined };

interface Lost {
  readonly node: FakeHost;
  readonly before: string;
}

/** A node on which web-1 got two VFs, chained or as its only network, and whose records are lost. */
async function makeNode(isOnly: boolean): Promise<Lost> {
  const node = createFakeHost();
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: vfs });
  const before = node.toText();
  expect(await callCni(node.host, isOnly ? only : { ...network, prevResult }, call)).toMatchObject({
    exitCode: 0,
  });
  for (const vf of vfs) node.host.files.remove(`${node.host.paths.attachments}/${vf}.json`);
  return { node, before };
}

const del = (node: FakeHost, isOnly: boolean, more: object = {}): Promise<TestAnswer> =>
  callCni(node.host, { ...(isOnly ? only : network), ...more }, { ...call, command: "DEL" });

/** What nothing tells any more: the MAC that the PF had for the VF, and the VF's other names. */
function withoutUnknown(text: string): string {
  return text.replaceAll(/(vf \d) mac \S+/g, "$1").replaceAll(/ altnames \S+/g, "");
}

test.each([
  ["chained", false],
  ["as the pod's only network", true],
])("DEL goes by the names in the pod and what the kubelet gave it, %s", async (_, isOnly) => {
  const { node, before } = await makeNode(isOnly);
  using _node = node;
  for (const _again of [1, 2]) {
    expect(await del(node, isOnly)).toMatchObject(done);
    expect(withoutUnknown(node.toText())).toBe(withoutUnknown(before));
  }
});

test.each([false, true])("the kubelet's checkpoint is read once for it, only network: %j", async (isOnly) => {
  const { node } = await makeNode(isOnly);
  using _node = node;
  const { files, paths } = node.host;
  let reads = 0;
  const readText: Host["files"]["readText"] = (path) => {
    if (path === paths.kubelet.checkpoint) reads += 1;
    return files.readText(path);
  };
  const host = { ...node.host, files: { ...files, readText } };
  const end = { ...call, command: "DEL" };
  expect(await callCni(host, isOnly ? only : network, end)).toMatchObject(done);
  expect(reads).toBe(1);
});

test("with the namespace gone, too, the leases go all the same, by what the kubelet gave the pod", async () => {
  const { node } = await makeNode(false);
  using _node = node;
  node.removeNetns("web-1");
  const home = node.toText();
  expect(home.match(/^lease .*$/gm)).toHaveLength(2);
  for (const _again of [1, 2]) {
    expect(
      await callCni(node.host, network, { ...call, command: "DEL", netns: "", args: podArgs("web-1") }),
    ).toMatchObject(done);
    expect(node.toText()).toBe(home.replaceAll(/\nlease .*/g, ""));
  }
});

test("so does that of the pod's first interface where the runtime's file begins with the entry, and only there", async () => {
  for (const isFirst of [true, false]) {
    const { node } = await makeNode(true);
    using _node = node;
    const { files, paths } = node.host;
    files.makeFolder(paths.cniConfigs);
    const plugins = isFirst ? [only] : [{ type: "bridge" }, only];
    files.writeAtomic(`${paths.cniConfigs}/10-lan.conflist`, JSON.stringify({ ...only, plugins }));
    node.removeNetns("web-1");
    expect(node.toText()).toMatch(/lease lan c1 eth0 .*\nlease lan c1 net1 /);
    expect(await callCni(node.host, only, { ...call, command: "DEL", netns: "" })).toMatchObject(done);
    expect(node.toText().match(/lease lan c1 \S+/g)).toEqual(isFirst ? null : ["lease lan c1 eth0"]);
  }
});

test("so they do of several networks whose VFs have names of one kind", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: vfs.slice(0, 1) });
  node.allocate("uid-web-1", { app: vfs.slice(1) }, "sriov/fast");
  const networks = [{ ipam }, { resource: "sriov/fast", ipam }];
  expect(await callCni(node.host, { ...network, networks, prevResult }, call)).toMatchObject({ exitCode: 0 });
  for (const vf of vfs) node.host.files.remove(`${node.host.paths.attachments}/${vf}.json`);
  node.removeNetns("web-1");
  expect(node.toText()).toMatch(/lease cluster c1 net1 .*\nlease cluster c1 net2 /);
  const end = { ...call, command: "DEL", netns: "" };
  expect(await callCni(node.host, { ...network, networks }, end)).toMatchObject(done);
  expect(node.toText()).not.toContain("lease");
});

test("a pod to which the kubelet gave nothing has no IPAM plugin called for it", async () => {
  const { node } = await makeNode(false);
  using _node = node;
  const calls = node.ipam.calls.length;
  for (const netns of ["/run/netns/web-1", ""]) {
    const plain = { ...call, containerId: "c9", netns, args: podArgs("plain") };
    expect(await callCni(node.host, network, { ...plain, command: "DEL" })).toMatchObject(done);
  }
  expect(node.ipam.calls.length).toBe(calls);
});

test("a VF that the kubelet did not give to the pod, or under another name, is not ours", async () => {
  for (const hide of [
    ({ host }: FakeHost) => host.files.remove(host.paths.kubelet.checkpoint),
    (node: FakeHost) => {
      node.host.files.remove(node.host.paths.kubelet.checkpoint);
      node.allocate("uid-web-2", { app: vfs });
      node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
    },
    (node: FakeHost) => {
      using netns = node.host.namespaces.open("/run/netns/web-1");
      using inside = node.host.openNetlink(netns);
      for (const [at, name] of ["net1", "net2"].entries()) {
        const index = inside.getLink({ name })?.index ?? 0;
        inside.setLink(index, { set: "up", value: false });
        inside.setLink(index, { set: "name", value: `data${at}` });
      }
    },
  ]) {
    const { node } = await makeNode(false);
    using _node = node;
    hide(node);
    const given = node.toText();
    expect(await del(node, false)).toMatchObject(done);
    expect(node.toText()).toBe(given);
  }
});

test("those of a pod that Multus serves are left to it, unless withMultus is set", async () => {
  const { node } = await makeNode(false);
  using _node = node;
  const given = node.toText();
  const annotations = { "k8s.v1.cni.cncf.io/networks": "blue" };
  const runtimeConfig = { "io.kubernetes.cri.pod-annotations": annotations };
  expect(await del(node, false, { runtimeConfig })).toMatchObject(done);
  expect(node.toText()).toBe(given);
  expect(await del(node, false, { runtimeConfig, withMultus: true })).toMatchObject(done);
  expect(node.toText()).not.toMatch(/lease|net1 /);
});

test("a VF that another container's record has is not touched", async () => {
  const { node } = await makeNode(false);
  using _node = node;
  const given = node.toText();
  const record = {
    ...sampleAttachment,
    owner: { ...sampleAttachment.owner, containerId: "c2" },
    device: { ...sampleAttachment.device, address: parsePciAddress(vfs[0] ?? "") },
  };
  writeAttachment(node.host, record);
  expect(await del(node, false)).toMatchObject(done);
  expect(node.toText()).toMatch(/\n {2}net1 0000:3b:02\.0 .*\n(?:.*\n)*attachments 0000:3b:02\.0\.json$/);
  expect(node.toText()).not.toMatch(/ {2}net2 |lease/);
  expect(given).toContain("  net2 ");
});
