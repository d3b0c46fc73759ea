// Which events make tuning look at the node again.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { expect, test } from "vitest";

import type { Netlink, NetlinkEvent } from "../../../host/netlink/netlink.ts";
import type { UeventNotice } from "../../../host/uevent.ts";
import type { Attachment } from "../../../sriov/attachment.ts";
import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { watchNode } from "../../../tuning/node-watch.ts";
import { makeAttachment } from "../../support/attached-vf.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { makeLink } from "../../support/network-view.ts";
import { waitFor } from "../../support/wait-for.ts";

const uevent = { action: "offline", devicePath: "/devices/system/cpu/cpu3", subsystem: "cpu" };

function openNode() {
  const fake = createFakeHost();
  mkdirSync(dirname(fake.host.paths.nodeConfig), { recursive: true });
  let looks = 0;
  let tellNetlink: ((event: NetlinkEvent) => void) | undefined;
  let tellUevents: ((notice: UeventNotice) => void) | undefined;
  const netlink: Pick<Netlink, "subscribe" | typeof Symbol.dispose> = {
    subscribe: (onEvent) => {
      tellNetlink = onEvent;
      return { [Symbol.dispose]: () => (tellNetlink = undefined) };
    },
    [Symbol.dispose]: () => {},
  };
  const uevents = {
    subscribe: (onNotice: (notice: UeventNotice) => void) => {
      tellUevents = onNotice;
      return { [Symbol.dispose]: () => (tellUevents = undefined) };
    },
  };
  const host = { ...fake.host, openNetlink: () => netlink as Netlink, uevents };
  const watch = watchNode(host, () => (looks += 1));
  return {
    attach: (address: string, state: Attachment["state"]) => {
      const record = makeAttachment(fake.host, { address, pod: "web-1", netns: "/run/netns/web-1" });
      writeAttachment(fake.host, { ...record, state });
    },
    nodeConfig: host.paths.nodeConfig,
    pools: host.paths.pools,
    tellNetlink: (event: NetlinkEvent) => tellNetlink?.(event),
    tellUevents: (notice: UeventNotice) => tellUevents?.(notice),
    looks: () => looks,
    end: () => watch[Symbol.dispose](),
    [Symbol.dispose]: () => {
      watch[Symbol.dispose]();
      fake[Symbol.dispose]();
    },
  };
}

test.each<[string, number, UeventNotice]>([
  ["a CPU that goes offline", 1, { event: "uevent", uevent }],
  ["a VF that is bound", 1, { event: "uevent", uevent: { ...uevent, action: "bind", subsystem: "pci" } }],
  ["lost uevents", 1, { event: "overrun" }],
  ["another device", 0, { event: "uevent", uevent: { ...uevent, subsystem: "block" } }],
])("%s: %i looks", (_, looks, notice) => {
  using node = openNode();
  node.tellUevents(notice);
  expect(node.looks()).toBe(looks);
});

test.each<[string, number, NetlinkEvent]>([
  [
    "hardware",
    1,
    { event: "link", link: makeLink({ index: 7, name: "ens1f0v1", parentDevice: "0000:3b:02.1" }) },
  ],
  ["lost events", 1, { event: "overrun" }],
  [
    "the host's end of a pod's veth",
    0,
    { event: "link", link: makeLink({ index: 8, name: "cali1", kind: "veth" }) },
  ],
  ["an address", 0, { event: "address" }],
])("%s: %i looks", (_, looks, event) => {
  using node = openNode();
  node.tellNetlink(event);
  expect(node.looks()).toBe(looks);
});

test("node.yaml was written, another file beside it is nobody's business", async () => {
  using node = openNode();
  writeFileSync(`${node.nodeConfig}.old`, "");
  writeFileSync(node.nodeConfig, "tuning: {}\n");
  await waitFor("a look", () => node.looks() > 0);
  expect(node.looks()).toBeGreaterThan(0);
});

test("the device plugin wrote down its resources, which may have other rules, the first time and later", async () => {
  using node = openNode();
  mkdirSync(dirname(node.pools), { recursive: true });
  writeFileSync(node.pools, "{}");
  await waitFor("a look", () => node.looks() > 0);
  await Bun.sleep(20);
  const before = node.looks();
  writeFileSync(node.pools, '{"format": "1.2"}');
  await waitFor("a look", () => node.looks() > before);
  expect(node.looks()).toBeGreaterThan(before);
});

test("nothing is told after the end", () => {
  using node = openNode();
  node.end();
  node.tellUevents({ event: "overrun" });
  node.tellNetlink({ event: "overrun" });
  expect(node.looks()).toBe(0);
});

test("an ADD is looked at when it ends, not when it begins", async () => {
  using node = openNode();
  node.attach("0000:3b:02.0", "adding");
  node.attach("0000:3b:02.1", "attached");
  await waitFor("a look", () => node.looks() > 0);
  expect(node.looks()).toBe(1);
});
