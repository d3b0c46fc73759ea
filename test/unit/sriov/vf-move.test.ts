// Names that VFs have between two of others' choice: made of the address, and read back from it.

import { assert, nat, property, stringMatching } from "fast-check";
import { expect, test } from "vitest";

import type { Link, Netlink } from "../../../host/netlink/netlink.ts";
import { formatPciAddress, isPciAddress } from "../../../sriov/pci-address.ts";
import { chooseOwnName, isOwnName, parseOwnName } from "../../../sriov/vf-move.ts";

const link = { index: 7, name: "net1" } as Link;

/** The names that are given one after the other to a VF whose names before are all taken. */
function listOwnNames(address: Parameters<typeof chooseOwnName>[3]): readonly string[] {
  const taken = new Set<string>();
  const netlink = {
    getLink: ({ name = "" }) => (taken.has(name) ? { ...link, index: 8, name } : undefined),
  } as unknown as Netlink;
  for (let tries = 0; tries < 5; tries += 1) taken.add(chooseOwnName(netlink, netlink, link, address));
  return [...taken];
}

test("each name tells its VF, and is one that the kernel takes", () => {
  assert(
    property(nat(0xff_ff_ff), nat(0xffff), (domain, routingId) => {
      const address = formatPciAddress(domain, routingId);
      const names = listOwnNames(address);
      expect(new Set(names).size).toBe(5);
      for (const name of names) {
        expect(name.length).toBeLessThan(16);
        expect(parseOwnName(name)).toBe(address);
        expect(isOwnName(name, address)).toBe(true);
      }
    }),
  );
});

test("other names tell none", () => {
  for (const name of [
    "",
    "vf0",
    "vf3b11",
    "vf003b11",
    "vk03b11",
    "vf03b1g",
    "VF03b11",
    "vf03B11",
    "ens1f0v1",
  ])
    expect([name, parseOwnName(name)]).toEqual([name, undefined]);
  assert(
    property(stringMatching(/^v[f-j][0-9a-f]{0,13}$/), (name) => {
      const address = parseOwnName(name);
      expect(address === undefined || (isPciAddress(address) && isOwnName(name, address))).toBe(true);
    }),
  );
});
