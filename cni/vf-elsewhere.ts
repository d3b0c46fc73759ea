// Where a VF is that is neither at home nor in anybody's record: for the message.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";

/** "it is in the namespace /run/netns/x as net1, without a record", or that it is in none of the named ones. */
export function describeLocation(
  host: Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">,
  address: PciAddress,
): string {
  const folder = "/run/netns";
  for (const name of host.files.list(`${host.paths.hostRoot}${folder}`) ?? []) {
    const path = `${folder}/${name}`;
    using netns = host.namespaces.open(path);
    if (netns === undefined) continue;
    using netlink = host.openNetlink(netns);
    const link = findLinkInside(host, netlink, netns, address);
    if (link !== undefined)
      return `it is in the namespace ${path} as ${link.name}, and there is no record of it`;
  }
  return `its network device is neither on the host nor in a namespace of ${folder}`;
}
