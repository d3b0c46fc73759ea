// Where a VF is that is not at home: for the message.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { findVfNamespace } from "../sriov/vf-search.ts";

type Eyes = Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">;

/** "it is in the namespace /run/netns/x as net1, and there is no record of it", or that no namespace that can be found has it. */
export function describeLocation(host: Eyes, address: PciAddress): string {
  return describe(host, address, ", and there is no record of it");
}

/** The same of a VF whose record is another's. */
export function describeRecorded(host: Eyes, address: PciAddress): string {
  return describe(host, address, "");
}

function describe(host: Eyes, address: PciAddress, besides: string): string {
  const found = findVfNamespace(host, address);
  if (found === undefined)
    return "its network device is neither on the host nor in a namespace of /run/netns or of a process";
  using _netns = found.netns;
  return `it is in the namespace ${found.path} as ${found.link.name}${besides}`;
}
