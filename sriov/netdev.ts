// Finds the netdev of a VF in a network namespace, by PCI address and never by a remembered name.

import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { NetnsSysfs } from "../host/netns.ts";
import type { PciAddress } from "./pci-address.ts";

/** What is needed of a namespace's sysfs. */
export type SysfsListing = Pick<NetnsSysfs, "list">;

/**
 * The link of the VF in the namespace of `netlink`; `undefined` when it is not there. `sysfs` is that same namespace's
 * (`hostSysfs`, or `namespaces.openSysfs`): needed for virtio VFs and kernels without IFLA_PARENT_DEV_NAME (before 5.14).
 */
export function findVfLink(
  netlink: Pick<Netlink, "listLinks">,
  address: PciAddress,
  sysfs?: SysfsListing,
): Link | undefined {
  const links = netlink.listLinks();
  const direct = links.find((link) => link.parentDevice === address && link.kind === undefined);
  if (direct !== undefined || sysfs === undefined) return direct;
  const names = listNetdevs(sysfs, address);
  return links.find((link) => names.includes(link.name));
}

/** The sysfs of this process's own namespace. */
export function hostSysfs(host: Pick<Host, "files" | "paths">): SysfsListing {
  return { list: (path) => host.files.list(`${host.paths.sys}/${path}`) };
}

// A virtio VF's netdev hangs below the virtio device, not below the PCI device.
function listNetdevs(sysfs: SysfsListing, address: PciAddress): readonly string[] {
  const folder = `bus/pci/devices/${address}`;
  const parents = (sysfs.list(folder) ?? []).filter((entry) => entry === "net" || /^virtio\d+$/.test(entry));
  return parents.flatMap(
    (entry) => sysfs.list(entry === "net" ? `${folder}/net` : `${folder}/${entry}/net`) ?? [],
  );
}
