// Which events make the device plugin look at the node again.

import { expect, test } from "vitest";

import { watchChanges } from "../../../deviceplugin/changes.ts";
import type { Netlink, NetlinkEvent } from "../../../host/netlink/netlink.ts";
import type { UeventNotice } from "../../../host/uevent.ts";
import { makeLink } from "../../support/network-view.ts";

const uevent = { action: "bind", devicePath: "/devices/pci0000:00/0000:01:10.0", subsystem: "pci" };

function openNode(openNetlink: (netlink: Netlink) => Netlink = (netlink) => netlink) {
  const closed: string[] = [];
  let changes = 0;
  let tellNetlink: ((event: NetlinkEvent) => void) | undefined;
  let tellUevents: ((notice: UeventNotice) => void) | undefined;
  const netlink: Pick<Netlink, "subscribe" | typeof Symbol.dispose> = {
    subscribe: (onEvent) => {
      tellNetlink = onEvent;
      return { [Symbol.dispose]: () => void closed.push("links") };
    },
    [Symbol.dispose]: () => void closed.push("netlink"),
  };
  const host = {
    openNetlink: () => openNetlink(netlink as Netlink),
    uevents: {
      subscribe: (onNotice: (notice: UeventNotice) => void) => {
        tellUevents = onNotice;
        return { [Symbol.dispose]: () => void closed.push("uevents") };
      },
    },
  };
  return {
    closed,
    watch: () => watchChanges(host, () => (changes += 1)),
    tellNetlink: (event: NetlinkEvent) => tellNetlink?.(event),
    tellUevents: (notice: UeventNotice) => tellUevents?.(notice),
    changes: () => changes,
  };
}

test.each<[string, number, NetlinkEvent]>([
  ["a link", 1, { event: "link", link: makeLink({ index: 7, name: "ens1f0v3" }) }],
  ["a link that went", 1, { event: "linkGone", index: 7, name: "ens1f0v3" }],
  ["an address", 1, { event: "address" }],
  ["lost events", 1, { event: "overrun" }],
  [
    "the host's end of a pod's veth",
    0,
    { event: "link", link: makeLink({ index: 8, name: "cali1", kind: "veth" }) },
  ],
])("%s: %i looks", (_, looks, event) => {
  const node = openNode();
  using _watch = node.watch();
  node.tellNetlink(event);
  expect(node.changes()).toBe(looks);
});

test.each<[string, number, UeventNotice]>([
  ["a PCI device", 1, { event: "uevent", uevent }],
  ["lost uevents", 1, { event: "overrun" }],
  ["another device", 0, { event: "uevent", uevent: { ...uevent, subsystem: "block" } }],
])("%s: %i looks", (_, looks, notice) => {
  const node = openNode();
  using _watch = node.watch();
  node.tellUevents(notice);
  expect(node.changes()).toBe(looks);
});

test("everything is closed at the end, and when a part of it cannot be opened", () => {
  const node = openNode();
  node.watch()[Symbol.dispose]();
  expect(node.closed).toEqual(["links", "netlink", "uevents"]);
  const failing = openNode(() => {
    throw new Error("EMFILE");
  });
  expect(() => failing.watch()).toThrow("EMFILE");
  expect(failing.closed).toEqual(["uevents"]);
});
