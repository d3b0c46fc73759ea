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
export declare function findVfLink(
  netlink: Pick<Netlink, "listLinks">,
  address: PciAddress,
  sysfs?: SysfsListing,
): Link | undefined;

/** The sysfs of this process's own namespace. */
export declare function hostSysfs(host: Pick<Host, "files" | "paths">): SysfsListing;
