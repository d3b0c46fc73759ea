// Finding a VF's netdev: by the link's parent device, else by the namespace's sysfs.

import { expect, test } from "vitest";

import type { Link } from "../../../host/netlink/netlink.ts";
import { findVfLink, hostSysfs } from "../../../sriov/netdev.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { machines } from "../../fixtures/machines.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { linksOf, makeLink } from "../../support/network-view.ts";

const address = parsePciAddress("0000:01:10.2");

function netlinkOf(links: readonly Link[]): { listLinks: () => readonly Link[] } {
  return { listLinks: () => links };
}

test("the link whose parent device is the VF, whatever its name", () => {
  const links = [
    makeLink({ index: 3, name: "net1", parentDevice: "0000:01:10.0" }),
    makeLink({ index: 4, name: "eth7", parentDevice: address }),
  ];
  expect(findVfLink(netlinkOf(links), address)?.name).toBe("eth7");
  expect(findVfLink(netlinkOf(links), parsePciAddress("0000:01:10.4"))).toBeUndefined();
});

test("a virtual link that names the same parent is not the VF's netdev", () => {
  const links = [
    makeLink({ index: 9, name: "ib0.8001", kind: "ipoib", parentDevice: address }),
    makeLink({ index: 4, name: "ib0", parentDevice: address }),
  ];
  expect(findVfLink(netlinkOf(links), address)?.name).toBe("ib0");
});

test.each(["igb", "virtio"] as const)("%s: without the attribute the namespace's sysfs tells", (name) => {
  using tree = createFixtureTree(machines[name]);
  const [vf, other] = name === "igb" ? [address, "ens1f0v1"] : [parsePciAddress("0000:02:00.2"), "enp2s0v1"];
  const netlink = netlinkOf(linksOf(tree));
  expect(findVfLink(netlink, vf, hostSysfs(tree.host))?.name).toBe(other);
  expect(findVfLink(netlink, vf)).toBeUndefined();
});

test("a VF that is in another namespace, or not there at all, has no link here", () => {
  using tree = createFixtureTree(machines.away);
  const netlink = netlinkOf(linksOf(tree));
  expect(findVfLink(netlink, address, hostSysfs(tree.host))).toBeUndefined();
  expect(findVfLink(netlink, parsePciAddress("0000:7f:00.0"), hostSysfs(tree.host))).toBeUndefined();
});
