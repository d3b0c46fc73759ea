// Names of links that are no text, as a pod may choose them: read, and told to the real kernel again.

import { afterEach, beforeEach, expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { Link, Netlink } from "../../../host/netlink/netlink.ts";
import type { NetnsHandle } from "../../../host/netns.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const host = createHost();
let netns: TestNetns;
let handle: NetnsHandle;
let netlink: Netlink;

beforeEach(() => {
  netns = createTestNetns();
  netns.ip("link add va type veth peer name vb");
  const opened = host.namespaces.open(netns.path);
  if (opened === undefined) throw new Error(`no namespace at ${netns.path}`);
  handle = opened;
  netlink = host.openNetlink(handle);
});
afterEach(() => {
  netns[Symbol.dispose]();
  netlink[Symbol.dispose]();
  handle[Symbol.dispose]();
});

function getLink(name: string): Link {
  const link = netlink.getLink({ name });
  if (link === undefined) throw new Error(`no link ${name}`);
  return link;
}

test.each(["\\377", "\\357\\273\\277a", "\\303\\244"])(
  "reads and removes an altname that may be no text (%s)",
  (bytes) => {
    netns.run(["sh", "-c", `ip link property add dev va altname "$(printf '${bytes}')"`]);
    const { index, altNames } = getLink("va");
    expect(altNames).toHaveLength(1);
    netlink.removeAltName(index, altNames[0] ?? "");
    expect(getLink("va").altNames).toEqual([]);
  },
);

test("knows a link by a name that is no text", () => {
  netns.run(["sh", "-c", "ip link set va name \"$(printf 'a\\377')\""]);
  const link = netlink.listLinks().find(({ name }) => name.startsWith("a"));
  expect(getLink("a\udcff")).toEqual(link);
  netlink.setLink(link?.index ?? 0, { set: "name", value: "va" });
  expect(getLink("va").index).toBe(link?.index);
});
