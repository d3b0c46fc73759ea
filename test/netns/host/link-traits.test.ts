// What a pod may set on a link, and the link keeps on a move: on the real kernel, with `ip -j` as the oracle.

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import type { Link, LinkTraitChange } from "../../../host/netlink/netlink.ts";
import { createTestNetns } from "../../support/netns.ts";

test("each trait is set as ip then shows it", () => {
  using netns = createTestNetns();
  netns.ip("link add va type veth peer name vb");
  const host = createHost();
  using handle = host.namespaces.open(netns.path);
  using netlink = host.openNetlink(handle);
  const getLink = (): Link | undefined => netlink.getLink({ name: "va" });
  const before = getLink();
  const set = {
    hasArp: false,
    hasMulticast: false,
    broadcast: "02:00:00:00:00:99",
    linkMode: 1,
    group: 7,
    gsoMaxSegs: 9,
    gsoMaxSize: 5000,
    groMaxSize: 6000,
  };
  for (const [trait, value] of Object.entries(set))
    netlink.setLink(before?.index ?? 0, { set: "trait", trait, value } as LinkTraitChange);
  const [shown] = netns.look("link show va");
  expect(shown).toMatchObject({
    broadcast: "02:00:00:00:00:99",
    linkmode: "DORMANT",
    group: "7",
    gso_max_segs: 9,
    gso_max_size: 5000,
    gro_max_size: 6000,
  });
  expect(shown?.["flags"]).toContain("NOARP");
  expect(shown?.["flags"]).not.toContain("MULTICAST");
  expect(getLink()?.traits).toEqual({
    ...set,
    // Not there before Linux 6.3.
    gsoIpv4MaxSize: before?.traits.gsoIpv4MaxSize && 5000,
    groIpv4MaxSize: before?.traits.groIpv4MaxSize && 6000,
  });
});
