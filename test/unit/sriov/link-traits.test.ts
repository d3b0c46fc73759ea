// How a link resolves addresses and cuts packets is put back one by one, as far as the link can have it.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import type { Link, LinkChange } from "../../../host/netlink/netlink.ts";
import { defaultTraits, restoreTraits } from "../../../sriov/link-traits.ts";
import { freshTraits } from "../../support/fake-host-kernel.ts";
import { makeLink } from "../../support/network-view.ts";

/** What is asked of a link that takes everything but what `refuses` names. */
function restore(link: Link, original: Link["traits"], refuses = ""): readonly string[] {
  const asked: string[] = [];
  let now = link;
  const setLink = (_index: number, change: LinkChange): void => {
    if (change.set !== "trait") throw new Error(`unexpected ${change.set}`);
    const { trait, value } = change;
    asked.push(`${trait} ${value}`);
    if (trait === refuses) throw new NetlinkError("setting", "EINVAL");
    const ipv4 = trait === "gsoMaxSize" ? { gsoIpv4MaxSize: value } : {};
    now = { ...now, traits: { ...now.traits, [trait]: value, ...ipv4 } };
  };
  restoreTraits({ getLink: () => now, setLink }, link, original);
  return asked;
}

test("what is set for all packets goes before what that sets for IPv4, too", () => {
  const original = { ...freshTraits, gsoMaxSize: 60_000, gsoIpv4MaxSize: 50_000 };
  const link = makeLink({ index: 5, name: "vf", traits: { ...original, gsoMaxSize: 2000 } });
  expect(restore(link, original)).toEqual(["gsoMaxSize 60000", "gsoIpv4MaxSize 50000"]);
  expect(restore({ ...link, traits: original }, original)).toEqual([]);
});

test("a size that the driver takes no more keeps no pod from ending, another refusal does", () => {
  const link = makeLink({ index: 5, name: "vf", traits: { ...freshTraits, gsoMaxSize: 2000, group: 7 } });
  expect(restore(link, freshTraits, "gsoMaxSize")).toEqual(["group 0", "gsoMaxSize 65536"]);
  expect(() => restore(link, freshTraits, "group")).toThrow("EINVAL");
});

test("the default broadcast address is Ethernet's alone", () => {
  const broadcast = "00:ff:ff:ff:ff:12:40:1b:ff:ff:00:00:00:00:00:00:ff:ff:ff:ff";
  const link = makeLink({ index: 5, name: "ib", traits: { ...freshTraits, broadcast, hasArp: false } });
  expect(restore(link, defaultTraits)).toEqual(["hasArp true"]);
});
