// The first plugin of the list, with the VFs that the kubelet gave: eth0 is one, and there is no other network.

import { expect, test } from "vitest";

import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = { cniVersion: "1.1.0", name: "lan", type: "virtfn", vlan: 7, ipam };
const only = { ifName: "eth0" };

function makeNode(...vfs: readonly string[]): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  if (vfs.length > 0) node.allocate("uid-web-1", { app: vfs });
  return node;
}

test("the pod's VF is eth0, with its address; CHECK finds it right, and DEL gives it back", async () => {
  using node = makeNode("0000:3b:02.1");
  const before = node.toText();
  const { exitCode, json: prevResult } = await callCni(node.host, config, only);
  expect(exitCode).toBe(0);
  expect(prevResult).toMatchObject({
    interfaces: [{ name: "eth0", pciID: "0000:3b:02.1", sandbox: "/run/netns/web-1" }],
    ips: [{ address: "192.0.2.2/24", interface: 0 }],
  });
  const check = await callCni(node.host, { ...config, prevResult }, { ...only, command: "CHECK" });
  expect(check).toMatchObject({ exitCode: 0 });
  expect(await callCni(node.host, config, { ...only, command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

test("of several VFs the first is eth0, the others net1, net2, ..., each with a lease under its name", async () => {
  using node = makeNode("0000:3b:02.2", "0000:3b:02.0", "0000:3b:02.1");
  const before = node.toText();
  const { json } = await callCni(node.host, config, only);
  expect(json).toMatchObject({
    interfaces: [
      { name: "eth0", pciID: "0000:3b:02.0" },
      { name: "net1", pciID: "0000:3b:02.1" },
      { name: "net2", pciID: "0000:3b:02.2" },
    ],
    ips: [{ interface: 0 }, { interface: 1 }, { interface: 2 }],
  });
  expect([...node.toText().matchAll(/^lease lan c1 (\w+)/gm)].map(([, name]) => name)).toEqual([
    "eth0",
    "net1",
    "net2",
  ]);
  expect(await callCni(node.host, config, { ...only, command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

const multus = { "k8s.v1.cni.cncf.io/networks": "blue" };

test.each([
  ["no VF", [], config, only, "no network for pod shop/web-1 as eth0: the kubelet gave it no sriov/vf"],
  [
    "a resource that it has not",
    ["0000:3b:02.1"],
    { ...config, resource: "sriov/fast" },
    only,
    "gave it no sriov/fast",
  ],
  [
    "networks of Multus",
    ["0000:3b:02.1"],
    { ...config, runtimeConfig: { "io.kubernetes.cri.pod-annotations": multus } },
    only,
    "no network for pod shop/web-1 as eth0: it names networks for Multus, which its VFs are left to (withMultus)",
  ],
  // A network of Multus without the annotation that says which resource it is for.
  [
    "an interface that is not the pod's first",
    ["0000:3b:02.1"],
    config,
    { ifName: "net1" },
    'problem in network "lan": deviceID: ',
  ],
] as const)(
  "a pod with %s is an error 7 that says so, and nothing is changed",
  async (_what, vfs, conf, call, message) => {
    using node = makeNode(...vfs);
    const before = node.toText();
    const { json } = await callCni(node.host, conf, call);
    expect(json).toMatchObject({ code: 7, msg: expect.stringContaining(message) as string });
    expect(node.toText()).toBe(before);
  },
);

function forgetRecord(node: FakeHost): void {
  expect(node.host.files.remove(`${node.host.paths.attachments}/0000:3b:02.1.json`)).toBe(true);
}

test("with the record lost DEL finds the VF by the result, and the lease", async () => {
  using node = makeNode("0000:3b:02.1");
  const { json: prevResult } = await callCni(node.host, config, only);
  forgetRecord(node);
  const del = { ...only, command: "DEL" };
  expect(await callCni(node.host, { ...config, prevResult }, del)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toContain("ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0");
  expect(node.toText()).toMatch(/\n {2}ens1f0v1 0000:3b:02\.1 .* down/);
  expect(node.toText()).not.toContain("lease");
});

test("a VF that another plugin gave as eth0 is not ours to give back", async () => {
  using node = makeNode();
  // As that plugin would: with a device in its configuration, and without a record of ours.
  const { json: prevResult } = await callCni(node.host, { ...config, deviceID: "0000:3b:02.1" }, only);
  forgetRecord(node);
  const before = node.toText();
  const chained = { cniVersion: "1.1.0", name: "cluster", type: "virtfn", prevResult };
  expect(await callCni(node.host, chained, { ...only, command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
