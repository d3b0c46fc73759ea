// Chained after the cluster's plugin: the pod's VFs are found through the kubelet's checkpoint.

import { expect, test } from "vitest";

import { noteReleasedThisBoot } from "../../../sriov/released-boot.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";

const prevResult = {
  cniVersion: "1.0.0",
  interfaces: [
    { name: "cni0", mac: "b2:ab:05:3a:54:69" },
    { name: "eth0", sandbox: "/run/netns/web-1" },
  ],
  ips: [{ address: "10.244.1.14/24", gateway: "10.244.1.1", interface: 1 }],
  routes: [{ dst: "0.0.0.0/0" }],
};
const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = {
  cniVersion: "1.0.0",
  name: "cluster",
  type: "virtfn",
  prevResult,
  networks: [{ vlan: 7, ipam }],
};
const chained = { ifName: "eth0" };
const annotations = (networks: string): object => ({
  runtimeConfig: { "io.kubernetes.cri.pod-annotations": { "k8s.v1.cni.cncf.io/networks": networks } },
});

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  return node;
}

test("all VFs of the pod become net1, net2, ... in the order of container names and PCI addresses, each once", async () => {
  using node = makeNode();
  node.allocate("uid-other", { app: ["0000:3b:02.3"] });
  node.allocate("uid-web-1", {
    b: ["0000:3b:02.0"],
    a: ["0000:3b:02.2", "0000:3b:02.1"],
    init: ["0000:3b:02.0"],
  });
  const answer = await callCni(node.host, config, chained);
  expect(answer.json).toMatchInlineSnapshot(`
    {
      "cniVersion": "1.0.0",
      "dns": {},
      "interfaces": [
        {
          "mac": "b2:ab:05:3a:54:69",
          "name": "cni0",
        },
        {
          "name": "eth0",
          "sandbox": "/run/netns/web-1",
        },
        {
          "mac": "02:00:00:00:00:01",
          "mtu": 1500,
          "name": "net1",
          "pciID": "0000:3b:02.1",
          "sandbox": "/run/netns/web-1",
        },
        {
          "mac": "02:00:00:00:00:02",
          "mtu": 1500,
          "name": "net2",
          "pciID": "0000:3b:02.2",
          "sandbox": "/run/netns/web-1",
        },
        {
          "mac": "02:00:00:00:00:00",
          "mtu": 1500,
          "name": "net3",
          "pciID": "0000:3b:02.0",
          "sandbox": "/run/netns/web-1",
        },
      ],
      "ips": [
        {
          "address": "10.244.1.14/24",
          "gateway": "10.244.1.1",
          "interface": 1,
        },
        {
          "address": "192.0.2.2/24",
          "gateway": "192.0.2.1",
          "interface": 2,
        },
        {
          "address": "192.0.2.3/24",
          "gateway": "192.0.2.1",
          "interface": 3,
        },
        {
          "address": "192.0.2.4/24",
          "gateway": "192.0.2.1",
          "interface": 4,
        },
      ],
      "routes": [
        {
          "dst": "0.0.0.0/0",
        },
      ],
    }
  `);
  expect(node.toText()).toMatchInlineSnapshot(`
    "host
      ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 1500 up
      ens1f0 vf 0 mac 02:00:00:00:00:00 vlan 7 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 7 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0 vf 2 mac 02:00:00:00:00:02 vlan 7 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0 vf 3 mac 02:00:00:00:00:03 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0v3 0000:3b:02.3 mac 02:00:00:00:00:03 mtu 1500 down altnames enp0s0v3 rx-0 rps 00 flows 0 tx-0 xps 00
      eth0 virtual mac 02:00:00:00:ff:01 mtu 1500 up
      route 0.0.0.0/0 via 198.51.100.1 dev eth0
    /run/netns/web-1
      net1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 up altnames enp0s0v1 rx-0 rps 00 flows 0 tx-0 xps 00
      net1 sysctl ipv4/arp_notify 1
      net1 sysctl ipv6/ndisc_notify 1
      net1 sysctl ipv6/optimistic_dad 1
      net1 sysctl ipv6/use_optimistic 1
      net1 address 192.0.2.2/24
      net2 0000:3b:02.2 mac 02:00:00:00:00:02 mtu 1500 up altnames enp0s0v2 rx-0 rps 00 flows 0 tx-0 xps 00
      net2 sysctl ipv4/arp_notify 1
      net2 sysctl ipv6/ndisc_notify 1
      net2 sysctl ipv6/optimistic_dad 1
      net2 sysctl ipv6/use_optimistic 1
      net2 address 192.0.2.3/24
      net3 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 1500 up altnames enp0s0v0 rx-0 rps 00 flows 0 tx-0 xps 00
      net3 sysctl ipv4/arp_notify 1
      net3 sysctl ipv6/ndisc_notify 1
      net3 sysctl ipv6/optimistic_dad 1
      net3 sysctl ipv6/use_optimistic 1
      net3 address 192.0.2.4/24
    attachments 0000:3b:02.0.json
    attachments 0000:3b:02.1.json
    attachments 0000:3b:02.2.json
    lease cluster c1 net1 192.0.2.2/24
    lease cluster c1 net2 192.0.2.3/24
    lease cluster c1 net3 192.0.2.4/24"
  `);
  expect(node.locks.taken.slice(0, 3)).toEqual(["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2"]);
});

test("DEL gives all of them back, also without netns and prevResult", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0", "0000:3b:02.1"] });
  const before = node.toText();
  await callCni(node.host, config, chained);
  const { prevResult: _none, ...later } = config;
  node.removeNetns("web-1");
  expect(await callCni(node.host, later, { ...chained, command: "DEL", netns: "" })).toMatchObject({
    exitCode: 0,
    json: undefined,
  });
  expect(node.toText()).toBe(before.replace("\n/run/netns/web-1", ""));
  expect(await callCni(node.host, later, { ...chained, command: "DEL", netns: "" })).toMatchObject({
    exitCode: 0,
    json: undefined,
  });
});

test("DEL after the list was changed gives back what ADD gave, its leases by the plugin of then", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0", "0000:3b:02.1"] });
  const before = node.toText();
  const added = await callCni(node.host, config, chained);
  const given = node.ipam.calls.length;
  const networks = [{ resource: "sriov/fast", ifNamePrefix: "data", vlan: 8, ipam: { type: "static" } }];
  const changed = { ...config, networks, withMultus: true, prevResult: added.json };
  for (const later of [changed, { ...changed, prevResult: undefined }]) {
    expect(await callCni(node.host, later, { ...chained, command: "DEL" })).toMatchObject({
      exitCode: 0,
      json: undefined,
    });
    expect(node.toText()).toBe(before);
  }
  const released = node.ipam.calls.slice(given).map(({ command, env }) => `${command} ${env["CNI_IFNAME"]}`);
  const delegate = `${node.root}/opt/cni/bin/host-local`;
  expect(released.slice(0, 2).toSorted()).toEqual([`${delegate} net1`, `${delegate} net2`]);
});

test("a pod without VFs gets prevResult back: no lock, no netlink, no namespace", async () => {
  using node = makeNode();
  noteReleasedThisBoot(node.host);
  node.allocate("uid-other", { app: ["0000:3b:02.0"] });
  const { host, calls } = withFault(node.host);
  const answer = await callCni(host, config, chained);
  expect(answer.json).toEqual(prevResult);
  expect(calls).toEqual(["files.readText", "clock.bootId", "files.readText"]);
});

test("a node without a kubelet and without its socket has no devices to give", async () => {
  using node = makeNode();
  expect(await callCni(node.host, config, chained)).toMatchObject({
    exitCode: 0,
    json: { ips: prevResult.ips },
  });
});

test("a checkpoint that cannot be read, and nobody else to ask, is error 11", async () => {
  using node = makeNode();
  node.host.files.writeAtomic(node.host.paths.kubelet.checkpoint, "");
  const { json } = await callCni(node.host, config, chained);
  expect(json).toMatchObject({ code: 11, msg: expect.stringContaining("got an empty file") as string });
});

test.each(["K8S_POD_NAME=web-1", "K8S_POD_UID=", "K8S_POD_UID=uid-web-1;K8S_POD_UID="])(
  "without a pod UID (%s) it is error 4",
  async (args) => {
    using node = makeNode();
    noteReleasedThisBoot(node.host);
    const { json } = await callCni(node.host, config, { ...chained, args });
    expect(json).toMatchObject({ code: 4, msg: expect.stringContaining("K8S_POD_UID") as string });
  },
);

test("without a device and without prevResult it is error 7", async () => {
  using node = makeNode();
  const { prevResult: _none, ...first } = config;
  expect((await callCni(node.host, first, chained)).json).toMatchObject({ code: 7 });
});

test("a pod that names networks for Multus is left to it, unless withMultus is set", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const left = await callCni(node.host, { ...config, ...annotations("blue") }, chained);
  expect(left.json).toMatchObject({ interfaces: prevResult.interfaces });
  expect(node.kernel.moves).toBe(0);
  const taken = await callCni(node.host, { ...config, ...annotations("blue"), withMultus: true }, chained);
  expect(taken.json?.["interfaces"]).toHaveLength(3);
});

test("a second entry in the same list is error 7 and changes nothing", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const first = await callCni(node.host, config, chained);
  const between = node.toText();
  const second = await callCni(node.host, { ...config, prevResult: first.json }, chained);
  expect(second.json).toMatchObject({
    code: 7,
    msg: expect.stringContaining("0000:3b:02.0 is net1 already") as string,
  });
  expect(node.toText()).toBe(between);
});

test("a second entry is found by the record where the version of the results has no pciID", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const old = { ...config, cniVersion: "0.4.0" };
  const first = await callCni(node.host, old, chained);
  const second = { ...old, prevResult: first.json, networks: [{ ifNamePrefix: "other" }] };
  const { json } = await callCni(node.host, second, chained);
  expect(json).toMatchObject({
    code: 7,
    msg: expect.stringContaining("is net1 of this container already") as string,
  });
});

test("two networks serve the devices of two resources", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  node.allocate("uid-web-1", { app: ["0000:3b:02.3"] }, "sriov/fast");
  const networks = [{ vlan: 7 }, { resource: "sriov/fast", ifNamePrefix: "fast", vlan: 8 }];
  const answer = await callCni(node.host, { ...config, networks }, chained);
  expect(answer.json?.["interfaces"]).toMatchObject([
    {},
    {},
    { name: "net1" },
    { name: "fast1", pciID: "0000:3b:02.3" },
  ]);
});

test("one MAC for two VFs is refused", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0", "0000:3b:02.1"] });
  const networks = [{ mac: "02:00:00:00:01:01" }];
  const { json } = await callCni(node.host, { ...config, networks }, chained);
  expect(json).toMatchObject({
    code: 7,
    msg: expect.stringContaining("mac: expected none for a pod with 2 VFs") as string,
  });
});
