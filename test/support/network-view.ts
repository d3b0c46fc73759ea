// The host's network as netlink would describe a fixture machine: links of all devices, and what a test puts on them.

import * as fs from "node:fs";
import { join } from "node:path";

import type { InterfaceAddress, Link, Route } from "../../host/netlink/netlink.ts";
import { freshTraits } from "./fake-host-kernel.ts";
import type { FixtureTree } from "./fixture-tree.ts";

/** A link with nothing on it; `over` says what is special. */
export function makeLink(over: Partial<Link> & Pick<Link, "index" | "name">): Link {
  return {
    altNames: [],
    mac: "02:00:00:00:00:01",
    permanentMac: undefined,
    mtu: 1500,
    maxMtu: undefined,
    isUp: true,
    hasCarrier: true,
    isPromiscuous: false,
    isAllMulticast: false,
    txQueueLength: 1000,
    xdp: [],
    kind: undefined,
    master: undefined,
    lower: undefined,
    parentDevice: undefined,
    alias: undefined,
    traits: freshTraits,
    ...over,
  };
}

/** An address of the main scope. */
export function makeAddress(
  index: number,
  cidr: string,
  scope: InterfaceAddress["scope"] = "global",
): InterfaceAddress {
  const [address = "", prefix] = cidr.split("/");
  const family = address.includes(":") ? 6 : 4;
  return { index, family, address, prefixLength: Number(prefix), scope, isTentative: false };
}

/** A route of the main table by way of a device. */
export function makeRoute(index: number, destination: string): Route {
  return {
    family: destination.includes(":") ? 6 : 4,
    destination,
    gateway: undefined,
    index,
    table: 254,
    metric: undefined,
    mtu: undefined,
    advmss: undefined,
    scope: "global",
    isOnlink: false,
    protocol: 3,
  };
}

/** The links of the tree's netdevs, and of its bonds and VLANs with their masters and lower devices. */
export function linksOf({ root, machine }: FixtureTree): readonly Link[] {
  const folder = join(root, "sys/class/net");
  const indexOf = (name: string): number => Number(fs.readFileSync(join(folder, name, "ifindex"), "utf8"));
  const uppers = machine.uppers ?? [];
  return fs.readdirSync(folder).map((name) => {
    const master = uppers.find(({ over, relation }) => relation === "master" && over.includes(name));
    const self = uppers.find((upper) => upper.name === name);
    const [lower] = self?.relation === "stacked" ? self.over : [];
    return makeLink({
      index: indexOf(name),
      name,
      kind: self?.kind,
      master: master === undefined ? undefined : indexOf(master.name),
      lower: lower === undefined ? undefined : indexOf(lower),
    });
  });
}
