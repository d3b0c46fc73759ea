// VFs that the node itself lives on: no way of asking takes one from it, whoever gave it.

import { expect, test } from "vitest";

import type { Netlink } from "../../../host/netlink/netlink.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { addLink, type FakeLink } from "../../support/fake-host-kernel.ts";

const vf = "0000:3b:02.0";
const mac = "02:00:00:00:ff:02";
const network = { cniVersion: "1.1.0", name: "blue", type: "virtfn" };
const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }], ips: [] };

const route = {
  gateway: "192.0.2.1",
  metric: 5,
  table: 254,
  mtu: undefined,
  advmss: undefined,
  scope: "global",
  isOnlink: false,
} as const;

interface Life {
  readonly name: string;
  readonly begin: (node: FakeHost, link: FakeLink, home: Netlink) => void;
  readonly reason: string;
}

function addUpper({ kernel }: FakeHost, lower: FakeLink, name: string, kind: string): FakeLink {
  return addLink(kernel, { name, mac, isUp: true, kind, lower: lower.index });
}

function addMaster({ kernel }: FakeHost, link: FakeLink, name: string, kind?: string): FakeLink {
  const master = addLink(kernel, { name, mac, isUp: true, kind });
  link.master = master.index;
  return master;
}

const lives: readonly Life[] = [
  {
    name: "has an IPv4 address",
    begin: (_, { index }, home) =>
      home.addAddress(index, { family: 4, address: "192.0.2.9", prefixLength: 24 }),
    reason: "address 192.0.2.9/24 on ens1f0v0",
  },
  {
    name: "has a global IPv6 address",
    begin: (_, { index }, home) =>
      home.addAddress(index, { family: 6, address: "2001:db8::9", prefixLength: 64 }),
    reason: "address 2001:db8::9/64 on ens1f0v0",
  },
  {
    name: "is a port of a bond",
    begin: (node, link) => void addMaster(node, link, "bond0", "bond"),
    reason: "ens1f0v0 is below bond0",
  },
  {
    name: "is below netvsc's device",
    begin: (node, link) => void addMaster(node, link, "eth9"),
    reason: "ens1f0v0 is below eth9",
  },
  {
    name: "has a VLAN on it",
    begin: (node, link) => void addUpper(node, link, "ens1f0v0.7", "vlan"),
    reason: "ens1f0v0 is below ens1f0v0.7",
  },
  {
    name: "has a macvlan on it",
    begin: (node, link) => void addUpper(node, link, "mv0", "macvlan"),
    reason: "ens1f0v0 is below mv0",
  },
  ...(["0.0.0.0/0", "::/0"] as const).map((destination) => ({
    name: `has the default route ${destination}`,
    begin: (_: FakeHost, { index }: FakeLink, home: Netlink) =>
      home.addRoute({ ...route, family: destination === "::/0" ? 6 : 4, destination, index }),
    reason: "default route through ens1f0v0",
  })),
  {
    name: "is below a VLAN on a bond, which has the default route",
    begin: (node, link, home) => {
      const { index } = addUpper(node, addMaster(node, link, "bond0", "bond"), "bond0.7", "vlan");
      home.addRoute({ ...route, family: 4, destination: "0.0.0.0/0", index });
    },
    reason: "default route through bond0.7",
  },
];

test.each(lives)("a VF that $name is given to no pod, and nothing is changed", async ({ begin, reason }) => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 1 }]);
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: [vf] });
  using home = node.host.openNetlink();
  const link = [...node.kernel.host.links.values()].find(({ device }) => device === vf);
  if (link === undefined) throw new Error("there is no VF");
  home.setLink(link.index, { set: "up", value: true });
  begin(node, link, home);
  const before = node.toText();
  const given = await callCni(node.host, { ...network, deviceID: vf });
  expect(given.json).toMatchObject({ code: 7, msg: expect.stringContaining(reason) as string });
  const chained = await callCni(node.host, { ...network, prevResult }, { ifName: "eth0" });
  expect(chained.json).toMatchObject({ code: 7, msg: expect.stringContaining(reason) as string });
  node.host.files.remove(node.host.paths.kubelet.checkpoint);
  node.host.files.writeAtomic(node.host.paths.nodeConfig, "pfs: [ens1f0]\n");
  const picked = await callCni(node.host, { ...network, pf: "ens1f0" });
  expect(picked.json).toMatchObject({ code: 11, msg: expect.stringContaining(reason) as string });
  expect(node.toText()).toBe(before);
});
