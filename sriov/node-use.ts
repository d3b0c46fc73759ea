// Which VFs the node itself lives on: those are never advertised nor moved.

import type { Host } from "../host/host.ts";
import type { InterfaceAddress, Link, Route } from "../host/netlink/netlink.ts";
import type { Inventory } from "./inventory.ts";
import type { PciAddress } from "./pci-address.ts";

/** What the host's network namespace looks like, as plain data. */
export interface NodeNetwork {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}

interface UsableDevice<Id extends string> {
  /** As the kernel names the parent of its netdev. */
  readonly address: Id;
  readonly netdevs: readonly string[];
}

/**
 * VFs that the node lives on, each with the reason ("default route through bond0"): a default route directly or below a
 * bond, VLAN, bridge or netvsc, a global address, or a master or upper device. Link-local addresses do not count.
 */
export function findNodeUse(inventory: Inventory, network: NodeNetwork): ReadonlyMap<PciAddress, string> {
  return findDeviceUse([...inventory.vfs.values()], network);
}

/** As `findNodeUse`, of any devices that have netdevs, by their ids. */
export function findDeviceUse<Id extends string>(
  devices: readonly UsableDevice<Id>[],
  network: NodeNetwork,
): ReadonlyMap<Id, string> {
  const uses = new Map<Id, string>();
  const defaults = findDefaultDevices(network);
  for (const device of devices) {
    const reason = linksOf(device, network.links)
      .map((link) => reasonFor(link, network, defaults))
      .find((found) => found !== undefined);
    if (reason !== undefined) uses.set(device.address, reason);
  }
  return uses;
}

/** As `findNodeUse`, of this process's network namespace. */
export function readNodeUse(
  host: Pick<Host, "openNetlink">,
  inventory: Inventory,
): ReadonlyMap<PciAddress, string> {
  using netlink = host.openNetlink();
  return findNodeUse(inventory, {
    links: netlink.listLinks(),
    addresses: netlink.listAddresses(),
    routes: netlink.listRoutes(),
  });
}

function linksOf({ address, netdevs }: UsableDevice<string>, links: readonly Link[]): readonly Link[] {
  return links.filter((link) => netdevs.includes(link.name) || link.parentDevice === address);
}

function reasonFor(
  link: Link,
  network: NodeNetwork,
  defaults: ReadonlyMap<number, Link>,
): string | undefined {
  const through = defaults.get(link.index);
  if (through !== undefined) return `default route through ${through.name}`;
  const address = network.addresses.find((found) => found.index === link.index && isGlobal(found));
  if (address !== undefined) return `address ${address.address}/${address.prefixLength} on ${link.name}`;
  const above = uppersOf(link, network.links)[0];
  return above === undefined ? undefined : `${link.name} is below ${above.name}`;
}

// Every device that carries a default route, by its own ifindex and by those of all devices below it.
function findDefaultDevices({ links, routes }: NodeNetwork): ReadonlyMap<number, Link> {
  const found = new Map<number, Link>();
  const addBelow = (link: Link, top: Link): void => {
    if (found.has(link.index)) return;
    found.set(link.index, top);
    for (const lower of lowersOf(link, links)) addBelow(lower, top);
  };
  for (const { index } of routes.filter(({ destination }) => defaultDestinations.has(destination))) {
    const top = links.find((link) => link.index === index);
    if (top !== undefined) addBelow(top, top);
  }
  return found;
}

const defaultDestinations: ReadonlySet<string> = new Set(["0.0.0.0/0", "::/0"]);

function lowersOf(link: Link, links: readonly Link[]): readonly Link[] {
  return links.filter((other) => other.master === link.index || isStackedOn(link, other));
}

function uppersOf(link: Link, links: readonly Link[]): readonly Link[] {
  return links.filter((other) => link.master === other.index || isStackedOn(other, link));
}

// The IFLA_LINK of a veth is its peer, perhaps in another namespace: not a device below it.
function isStackedOn(upper: Link, lower: Link): boolean {
  return (
    upper.lower === lower.index &&
    upper.index !== lower.index &&
    upper.kind !== undefined &&
    upper.kind !== "veth"
  );
}

function isGlobal({ scope, address }: InterfaceAddress): boolean {
  const isLinkLocal = address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
  return !isLinkLocal && (scope === "global" || scope === "site");
}
