// VFs the node lives on: what counts as living on a VF, what does not, and the reason given.

import { expect, test } from "vitest";

import type { Netlink } from "../../../host/netlink/netlink.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { findNodeUse, readNodeUse, type NodeNetwork } from "../../../sriov/node-use.ts";
import { machines, type Machine } from "../../fixtures/machines.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { linksOf, makeAddress, makeLink, makeRoute } from "../../support/network-view.ts";

type Add = (index: (name: string) => number) => Partial<NodeNetwork>;

function usesOf(machine: Machine, add: Add = () => ({})): Readonly<Record<string, string>> {
  using tree = createFixtureTree(machine);
  const links = linksOf(tree);
  const index = (name: string): number => links.find((link) => link.name === name)?.index ?? -1;
  const added = add(index);
  const network = { addresses: [], routes: [], ...added, links: [...links, ...(added.links ?? [])] };
  return Object.fromEntries(findNodeUse(readInventory(tree.host), network));
}

test("VFs that are up and have no address are free", () => {
  expect(usesOf(machines.igb)).toEqual({});
});

test("members of a bond are in use; a default route through a VLAN on the bond is the better reason", () => {
  expect(usesOf(machines.bond)).toEqual({
    "0000:3b:02.0": "ens3f0v0 is below bond0",
    "0000:3b:0a.1": "ens3f1v0 is below bond0",
  });
  expect(
    usesOf(machines.bond, (index) => ({ routes: [makeRoute(index("bond0.100"), "0.0.0.0/0")] })),
  ).toEqual({
    "0000:3b:02.0": "default route through bond0.100",
    "0000:3b:0a.1": "default route through bond0.100",
  });
});

test.each([
  ["0.0.0.0/0", "default route through ens1f0v3"],
  ["::/0", "default route through ens1f0v3"],
])("the default route %s directly through a VF", (destination, reason) => {
  const uses = usesOf(machines.igb, (index) => ({ routes: [makeRoute(index("ens1f0v3"), destination)] }));
  expect(uses).toEqual({ "0000:01:10.6": reason });
});

test("a route to a network, and a default route through the PF, use no VF", () => {
  const uses = usesOf(machines.igb, (index) => ({
    routes: [makeRoute(index("ens1f0v3"), "10.0.0.0/8"), makeRoute(index("ens1f0"), "0.0.0.0/0")],
    addresses: [makeAddress(index("ens1f0"), "192.0.2.1/24")],
  }));
  expect(uses).toEqual({});
});

test.each([
  ["192.0.2.9/24", "address 192.0.2.9/24 on ens1f0v2"],
  ["2001:db8::9/64", "address 2001:db8::9/64 on ens1f0v2"],
])("the global address %s", (cidr, reason) => {
  const uses = usesOf(machines.igb, (index) => ({ addresses: [makeAddress(index("ens1f0v2"), cidr)] }));
  expect(uses).toEqual({ "0000:01:10.4": reason });
});

test.each([
  ["fe80::1/64", "link"],
  ["fe80::1/64", "global"],
  ["169.254.3.4/16", "global"],
  ["10.0.0.1/8", "host"],
] as const)("the address %s of scope %s does not count", (cidr, scope) => {
  const uses = usesOf(machines.igb, (index) => ({
    addresses: [makeAddress(index("ens1f0v2"), cidr, scope)],
  }));
  expect(uses).toEqual({});
});

test("a VLAN or macvlan on a VF uses it; a veth whose peer elsewhere has the same ifindex does not", () => {
  const uses = usesOf(machines.igb, (index) => ({
    links: [
      makeLink({ index: 901, name: "ens1f0v0.7", kind: "vlan", lower: index("ens1f0v0") }),
      makeLink({ index: 902, name: "mv0", kind: "macvlan", lower: index("ens1f0v1") }),
      makeLink({ index: 903, name: "veth1234", kind: "veth", lower: index("ens1f0v2") }),
    ],
  }));
  expect(uses).toEqual({
    "0000:01:10.0": "ens1f0v0 is below ens1f0v0.7",
    "0000:01:10.2": "ens1f0v1 is below mv0",
  });
});

test("a VF below netvsc's device, which has the default route", () => {
  const synthetic = { name: "eth0", kind: undefined, over: ["ens1f0v0"], relation: "master" } as const;
  const uses = usesOf({ ...machines.igb, uppers: [synthetic] }, (index) => ({
    routes: [makeRoute(index("eth0"), "0.0.0.0/0")],
  }));
  expect(uses).toEqual({ "0000:01:10.0": "default route through eth0" });
});

test("a VF inside a pod is not the node's, whatever a device of its old name does", () => {
  const uses = usesOf(machines.away, () => ({
    links: [makeLink({ index: 950, name: "ens1f0v1" })],
    addresses: [makeAddress(950, "192.0.2.1/24")],
  }));
  expect(uses).toEqual({});
});

test("a ring of devices ends the search", () => {
  const uses = usesOf(machines.igb, (index) => ({
    links: [
      makeLink({ index: 901, name: "a", kind: "vlan", lower: 902 }),
      makeLink({ index: 902, name: "b", kind: "vlan", lower: 901, master: index("ens1f0v0") }),
    ],
    routes: [makeRoute(901, "0.0.0.0/0")],
  }));
  expect(Object.keys(uses)).toEqual([]);
});

test("the reader asks netlink once for each table and closes the handle", () => {
  using tree = createFixtureTree(machines.bond);
  const calls: string[] = [];
  const netlink: Pick<Netlink, "listLinks" | "listAddresses" | "listRoutes" | typeof Symbol.dispose> = {
    listLinks: () => (calls.push("links"), linksOf(tree)),
    listAddresses: () => (calls.push("addresses"), []),
    listRoutes: () => (calls.push("routes"), []),
    [Symbol.dispose]: () => void calls.push("close"),
  };
  const uses = readNodeUse({ openNetlink: () => netlink as Netlink }, readInventory(tree.host));
  expect(uses.size).toBe(2);
  expect(calls).toEqual(["links", "addresses", "routes", "close"]);
});
