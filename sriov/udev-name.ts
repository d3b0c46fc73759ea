// The interface of a VF that was just made: udev has yet to name it, and the name until then is not the one that it goes back to.

import type { Host } from "../host/host.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { PciAddress } from "./pci-address.ts";
import { readNumber } from "./sysfs.ts";
import { findHomeLink } from "./vf-locate.ts";

/** How long udev is waited for; it takes some 100 ms, and longer for many VFs at once. */
const namingMs = 5_000;

/** Between two looks: a name that udev leaves is no event of the link. */
const pauseMs = 20;

/**
 * As `findHomeLink`, but not before udev has named it, as after a kill of whoever made the VFs and waited for that. Not an error
 * when it takes longer.
 */
export async function findNamedLink(
  host: Pick<Host, "files" | "paths" | "clock">,
  home: Pick<Netlink, "getLink" | "listLinks">,
  address: PciAddress,
): Promise<Link | undefined> {
  const endMs = host.clock.monotonicMs() + namingMs;
  for (;;) {
    const link = findHomeLink(host, home, address);
    const leftMs = endMs - host.clock.monotonicMs();
    if (link === undefined || leftMs <= 0 || !awaitsName(host, link)) return link;
    await host.clock.sleep(Math.min(pauseMs, leftMs));
  }
}

// Numbered by the kernel and never renamed (1, NET_NAME_ENUM: include/uapi/linux/netdevice.h; Linux before 5.19 tells nothing then), on a
// node with udev, which has no entry of it yet: that comes when all its rules are done, also where they leave the name.
function awaitsName({ files, paths }: Pick<Host, "files" | "paths">, { name, index }: Link): boolean {
  const given = readNumber(files, `${paths.sys}/class/net/${name}/name_assign_type`);
  return (
    (given === undefined || given === 1) &&
    files.stat(`${paths.udev}/control`) !== undefined &&
    files.stat(`${paths.udev}/data/n${index}`) === undefined
  );
}
