// VFs for programs in userspace: bound to vfio-pci before, or by ADD; DEL leaves them as they were.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import { bindDriver } from "../../../sriov/driver.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { addDriver } from "../../support/fake-host-sysfs.ts";
import { withFault } from "../../support/faults.ts";
import { withReportedVfs } from "../../support/unreported-vfs.ts";
import { createUserspaceNode, userspaceConfig, vfioAllowed } from "../../support/userspace-node.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = {
  ...userspaceConfig,
  trust: "on",
};
const bound = { ...config, driver: "vfio-pci" };
const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

function readRecord(node: FakeHost): Readonly<Record<string, unknown>> {
  const path = `${node.host.paths.attachments}/0000:3b:02.1.json`;
  return JSON.parse(node.host.files.readText(path) ?? "{}") as Record<string, unknown>;
}

function withoutQuarantine(node: FakeHost): string {
  return node.toText().replaceAll(/\nquarantine .*/g, "");
}

function msgOf({ json }: TestAnswer): string {
  return String(json?.["msg"]);
}

test("a VF with vfio-pci gets the PF's settings and addresses, and the result has an interface without a link", async () => {
  using node = createUserspaceNode([1]);
  const before = node.toText();
  const answer = await callCni(node.host, { ...config, ipam });
  expect(answer.json).toEqual({
    cniVersion: "1.1.0",
    interfaces: [
      { name: "net1", mac: "02:aa:bb:cc:dd:01", sandbox: "/run/netns/web-1", pciID: "0000:3b:02.1" },
    ],
    ips: [{ address: "192.0.2.2/24", gateway: "192.0.2.1", interface: 0 }],
    routes: [],
    dns: {},
  });
  expect(node.toText()).toContain("vf 1 mac 02:aa:bb:cc:dd:01 admin vlan 100 qos 0 802.1q spoof on trust on");
  expect(node.kernel.moves).toBe(0);
  expect(readRecord(node)).toMatchObject({
    state: "attached",
    announce: "done",
    applied: { driver: "vfio-pci" },
  });
  expect((await callCni(node.host, { ...config, ipam }, { command: "DEL" })).exitCode).toBe(0);
  expect(node.toText()).toBe(before);
});

test.each(["vfio-pci", "uio_pci_generic", "igb_uio"])(
  "a VF that has %s is known by its driver: settings at the PF and an address, and nothing of a netdev",
  async (driver) => {
    using node = createUserspaceNode([1]);
    addDriver(node.host.paths.sys, driver);
    bindDriver(node.host, parsePciAddress(config.deviceID), { driver, override: driver });
    const before = node.toText();
    const { host, calls } = withFault(node.host);
    expect((await callCni(host, { ...config, ipam })).json).toMatchObject({
      interfaces: [{ name: "net1", mac: "02:aa:bb:cc:dd:01", pciID: config.deviceID }],
      ips: [{ address: "192.0.2.2/24", interface: 0 }],
    });
    expect(
      calls.filter((call) => /\.(?:setLink|moveLink|addAddress|addRoute|writeSysctls)$/.test(call)),
    ).toEqual([]);
    expect(node.toText()).toContain("vf 1 mac 02:aa:bb:cc:dd:01 admin vlan 100 ");
    expect(await callCni(node.host, { ...config, ipam }, { command: "DEL" })).toMatchObject({ exitCode: 0 });
    expect(node.toText()).toBe(before);
  },
);

test("where the network names no MAC the result has the one that the PF has for the VF, as sriov-cni's; none where that has none", async () => {
  using node = createUserspaceNode([1]);
  const { mac: _none, ...withoutMac } = config;
  expect((await callCni(node.host, withoutMac)).json?.["interfaces"]).toEqual([
    { name: "net1", sandbox: "/run/netns/web-1", pciID: config.deviceID },
  ]);
  await callCni(node.host, withoutMac, { command: "DEL" });
  using home = node.host.openNetlink();
  const pf = home.getLink({ name: "ens1f0" })?.index ?? 0;
  home.setVf(pf, 1, { set: "mac", mac: "02:11:22:33:44:55" });
  const before = node.toText();
  const { json } = await callCni(node.host, withoutMac);
  expect(json).toMatchObject({ interfaces: [{ name: "net1", mac: "02:11:22:33:44:55" }] });
  await callCni(node.host, withoutMac, { command: "DEL" });
  expect(node.toText()).toBe(before);
});

test("after DEL the next pod gets it while the first namespace is still there; before, it is error 11", async () => {
  using node = createUserspaceNode([1]);
  await callCni(node.host, config);
  expect(await callCni(node.host, config, second)).toMatchObject({
    json: { code: 11, msg: expect.stringContaining("attached to pod shop/web-1") as string },
  });
  await callCni(node.host, config, { command: "DEL" });
  expect((await callCni(node.host, { ...config, vlan: 200, trust: "off" }, second)).exitCode).toBe(0);
  const given = node.toText();
  expect(given).toContain("vlan 200 qos 0 802.1q spoof on trust off");
  await callCni(node.host, config, { command: "DEL" });
  expect(node.toText()).toBe(given);
});

test("a pod that is gone without DEL holds it no longer", async () => {
  using node = createUserspaceNode([1]);
  await callCni(node.host, { ...config, ipam });
  node.removeNetns("web-1");
  expect((await callCni(node.host, { ...config, vlan: 200 }, second)).exitCode).toBe(0);
  expect(node.ipam.leases.size).toBe(0);
});

test("the MAC that the program chose is not left for the next one", async () => {
  using node = createUserspaceNode([1]);
  const { mac: _none, ...withoutMac } = config;
  const before = node.toText();
  await callCni(node.host, withoutMac);
  const side = node.kernel.nics[0]?.link.vfs[1];
  if (side === undefined) throw new Error("no VF");
  side.mac = "02:ee:00:00:00:01";
  await callCni(node.host, withoutMac, { command: "DEL" });
  expect(node.toText()).toBe(before);
});

test("driver: vfio-pci binds it at ADD and gives it back with name, MAC and driver at DEL", async () => {
  using node = createUserspaceNode([]);
  const before = node.toText();
  const answer = await callCni(node.host, { ...bound, ipam });
  expect(answer.json).toMatchObject({ interfaces: [{ name: "net1", mac: "02:aa:bb:cc:dd:01" }] });
  expect(node.toText()).toContain("0000:3b:02.1 driver vfio-pci override vfio-pci");
  expect(readRecord(node)).toMatchObject({
    original: { name: "ens1f0v1", driver: "igbvf", driverOverride: "" },
    applied: { driver: "vfio-pci" },
  });
  expect(await callCni(node.host, bound, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  // udev names what comes back a little later.
  await node.clock.advance(1000);
  expect(node.toText()).toBe(before);
  expect(await callCni(node.host, bound, { command: "DEL", netns: "" })).toMatchObject({ exitCode: 0 });
});

test("a PF that does not report the VF for a while after a driver let go of it is waited for", async () => {
  using node = createUserspaceNode([]);
  const before = node.toText();
  let endMs = 0;
  const { files } = node.host;
  const writeText: typeof files.writeText = (path, text) => {
    files.writeText(path, text);
    if (path.endsWith("/unbind")) endMs = node.clock.monotonicMs() + 1_000;
  };
  const host = withReportedVfs({ ...node.host, files: { ...files, writeText } }, (info) =>
    info.vf === 1 && node.clock.monotonicMs() < endMs ? undefined : info,
  );
  expect(await callCni(host, bound)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toContain("vf 1 mac 02:aa:bb:cc:dd:01 admin vlan 100 ");
  expect(await callCni(host, bound, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  await node.clock.advance(1000);
  expect(node.toText()).toBe(before);
});

test("one that has the driver already is not bound again, and keeps it", async () => {
  using node = createUserspaceNode([1]);
  const before = node.toText();
  await callCni(node.host, bound);
  expect(readRecord(node)["original"]).not.toHaveProperty("driver");
  await callCni(node.host, bound, { command: "DEL" });
  expect(node.toText()).toBe(before);
});

test("an owner that is gone is cleaned up after: the next pod gets the netdev", async () => {
  using node = createUserspaceNode([]);
  await callCni(node.host, bound);
  node.removeNetns("web-1");
  const answer = await callCni(node.host, config, second);
  expect(answer.json).toMatchObject({ interfaces: [{ name: "net1", mtu: 1500 }] });
});

test.each([
  ["pfs: []\n", 'driver: /etc/virtfn/node.yaml does not allow vfio-pci in limits of "*"'],
  ["limits: { sriov/vf: { driver: vfio-pci } }\n", "does not allow vfio-pci"],
])("a driver that the node does not allow is refused: %j", async (nodeConfig, words) => {
  using node = createUserspaceNode([], nodeConfig);
  const before = node.toText();
  const answer = await callCni(node.host, bound);
  expect(answer.json).toMatchObject({ code: 7 });
  expect(msgOf(answer)).toContain(words);
  expect(node.toText()).toBe(before);
});

test("the resource's limits count for a VF that the kubelet gave", async () => {
  using node = createUserspaceNode([], "limits: { sriov/vf: { driver: vfio-pci } }\n");
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect((await callCni(node.host, bound)).exitCode).toBe(0);
});

test("what cannot be bound is told before anything is changed", async () => {
  using node = createUserspaceNode([]);
  fs.rmSync(`${node.root}/sys/bus/pci/devices/0000:3b:02.1/iommu_group`);
  const before = node.toText();
  const answer = await callCni(node.host, bound);
  expect(answer.json).toMatchObject({ code: 108 });
  expect(msgOf(answer)).toContain("0000:3b:02.1 is in no IOMMU group: the machine's IOMMU is off");
  expect(node.toText()).toBe(before);
});

test("settings that need an interface are refused for a VF that has none", async () => {
  using node = createUserspaceNode([1]);
  const answer = await callCni(node.host, { ...config, mtu: 9000 });
  expect(answer.json).toMatchObject({ code: 7 });
  expect(msgOf(answer)).toContain("mtu: expected nothing for 0000:3b:02.1, which has no interface");
});

test("CHECK is content with it, and names a driver that changed", async () => {
  using node = createUserspaceNode([]);
  const { json: prevResult } = await callCni(node.host, bound);
  const checked = { ...bound, prevResult };
  expect(await callCni(node.host, checked, { command: "CHECK" })).toMatchObject({ exitCode: 0 });
  node.host.files.writeText(`${node.root}/sys/bus/pci/drivers/vfio-pci/unbind`, "0000:3b:02.1");
  expect(msgOf(await callCni(node.host, checked, { command: "CHECK" }))).toContain(
    "driver: expected vfio-pci, got none",
  );
});

test("a PF's VF can be picked and bound in one ADD", async () => {
  using node = createUserspaceNode([], `pfs: [ens1f0]\n${vfioAllowed}`);
  const before = node.toText();
  const { deviceID: _none, ...picked } = { ...bound, pf: "ens1f0" };
  expect((await callCni(node.host, picked)).exitCode).toBe(0);
  expect(node.toText()).toContain("0000:3b:02.0 driver vfio-pci");
  expect((await callCni(node.host, picked, { command: "DEL" })).exitCode).toBe(0);
  expect(node.toText()).toBe(before);
});

test.each(["", '{"format":"9.0"}'])(
  "while its record (%j) tells no owner, a VF that the kubelet gave to another pod is left to the DEL of that pod",
  async (text) => {
    using node = createUserspaceNode([1]);
    const before = withoutQuarantine(node);
    node.allocate("uid-web-2", { app: [config.deviceID] });
    expect((await callCni(node.host, config, second)).exitCode).toBe(0);
    node.host.files.writeAtomic(`${node.host.paths.attachments}/${config.deviceID}.json`, text);
    const given = node.toText();
    expect((await callCni(node.host, config, { command: "DEL" })).exitCode).toBe(0);
    expect(node.toText()).toBe(given);
    expect((await callCni(node.host, config, { ...second, command: "DEL" })).exitCode).toBe(0);
    expect(withoutQuarantine(node)).toBe(before);
    expect(node.host.files.list(node.host.paths.quarantine)).toHaveLength(2);
  },
);

test("where the kubelet cannot tell, DEL gives such a VF back", async () => {
  using node = createUserspaceNode([1]);
  const before = withoutQuarantine(node);
  expect((await callCni(node.host, config)).exitCode).toBe(0);
  node.host.files.writeAtomic(`${node.host.paths.attachments}/${config.deviceID}.json`, "");
  node.host.files.writeAtomic(node.host.paths.kubelet.checkpoint, "{");
  expect((await callCni(node.host, config, { command: "DEL" })).exitCode).toBe(0);
  expect(withoutQuarantine(node)).toBe(before);
});
