// Where a VF is that is neither at home nor in anybody's record: for the message.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { findVfNamespace } from "../sriov/vf-search.ts";

/** "it is in the namespace /run/netns/x as net1, without a record", or that no namespace that can be found has it. */
export function describeLocation(
  host: Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">,
  address: PciAddress,
): string {
  const found = findVfNamespace(host, address);
  if (found === undefined)
    return "its network device is neither on the host nor in a namespace of /run/netns or of a process";
  using _netns = found.netns;
  return `it is in the namespace ${found.path} as ${found.link.name}, and there is no record of it`;
}
