// VFs of a link that has none, on the real kernel: what igb answers is in test/unit/host/netlink/vf.test.ts and in the lab.

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { createTestNetns } from "../../support/netns.ts";

test("a link without VFs has none, and neither has one that is not there", () => {
  const host = createHost();
  using netns = createTestNetns();
  netns.ip("link add va type veth peer name vb");
  using handle = host.namespaces.open(netns.path);
  using netlink = host.openNetlink(handle);
  expect(netlink.listVfs(netlink.getLink({ name: "va" })?.index ?? 0)).toEqual([]);
  expect(netlink.getVf({ name: "va" }, 0)).toBeUndefined();
  expect(netlink.getVf({ name: "no-such-pf" }, 0)).toBeUndefined();
});
