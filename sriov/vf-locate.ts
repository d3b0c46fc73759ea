// Where a VF's netdev is: on the host, in a pod's namespace, or on its way home.

import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { findVfLink, type SysfsListing } from "./netdev.ts";
import { readPciNetdevs } from "./pci-device.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";

/** How long a dying namespace is waited for: the kernel takes it down in the background. */
export const dyingNetnsMs = 10_000;

/** The VF's netdev in the host's namespace, by what sysfs shows there: mostly without a dump of all links. `netlink` is the host's. */
export function findHomeLink(
  host: Pick<Host, "files" | "paths">,
  netlink: Pick<Netlink, "getLink" | "listLinks">,
  address: PciAddress,
): Link | undefined {
  // Between the two looks udev may rename it, and another link get its name.
  for (let tries = 0; tries < 3; tries += 1) {
    const name = readPciNetdevs(host, address)[0];
    if (name === undefined) return undefined;
    const link = netlink.getLink({ name });
    if (link !== undefined && mayBeOf(link, address)) return link;
  }
  // A pod may have called it what is no text, which sysfs cannot be read for.
  return findVfLink(netlink, address);
}

function mayBeOf({ parentDevice = "" }: Link, address: PciAddress): boolean {
  return parentDevice === address || !isPciAddress(parentDevice);
}

/** The VF's netdev in `netns`, through a handle opened there. The sysfs of the namespace is looked at only when netlink does not tell. */
export function findLinkInside(
  host: Pick<Host, "namespaces">,
  netlink: Pick<Netlink, "listLinks">,
  netns: NetnsHandle,
  address: PciAddress,
): Link | undefined {
  return findLinksInside(host, netlink, netns, [address]).get(address);
}

/** As `findLinkInside`, of many VFs with one look: those that are there. */
export function findLinksInside(
  host: Pick<Host, "namespaces">,
  netlink: Pick<Netlink, "listLinks">,
  netns: NetnsHandle,
  addresses: readonly PciAddress[],
): ReadonlyMap<PciAddress, Link> {
  const links = netlink.listLinks();
  const seen = { listLinks: () => links };
  const found = new Map<PciAddress, Link>();
  function look(address: PciAddress, sysfs?: SysfsListing): void {
    const link = findVfLink(seen, address, sysfs);
    if (link !== undefined) found.set(address, link);
  }
  for (const address of addresses) look(address);
  if (found.size === addresses.length || links.every(tellsItsDevice)) return found;
  using sysfs = host.namespaces.openSysfs(netns);
  for (const address of addresses) if (!found.has(address)) look(address, sysfs);
  return found;
}

function tellsItsDevice({ name, parentDevice, kind }: Link): boolean {
  if (name === "lo" || kind !== undefined) return true;
  return parentDevice !== undefined && !parentDevice.startsWith("virtio");
}

/**
 * What `look` finds, at once or after a link event of the namespace of `netlink`, but at most after `timeoutMs`; then
 * `undefined`. What `look` throws is thrown.
 */
export async function waitForLinks<Found>(
  host: Pick<Host, "clock">,
  netlink: Pick<Netlink, "subscribe">,
  timeoutMs: number,
  look: () => Found | undefined,
): Promise<Found | undefined> {
  const over = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<Found | undefined>();
  function check(): void {
    try {
      const found = look();
      if (found !== undefined) resolve(found);
    } catch (error) {
      reject(error);
    }
  }
  using _events = netlink.subscribe(check);
  check();
  const timer = host.clock.sleep(timeoutMs, over.signal).then(
    () => resolve(undefined),
    (error: unknown) => reject(error as Error),
  );
  try {
    return await promise;
  } finally {
    over.abort(new Error("over"));
    await timer;
  }
}
