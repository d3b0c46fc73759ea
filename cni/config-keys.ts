// Which keys of a network configuration are ours, and which are put there by runtimes and the CNI library.

import { networkEntries } from "../sriov/network-entries.ts";

/** Keys that only a network configuration may hold; a pod may choose `mac` and `ips` among them. */
export const ourKeys: ReadonlySet<string> = new Set(
  [
    ...Object.keys(networkEntries),
    "deviceID",
    "pciBusID",
    "networks",
    "withMultus",
    "pf",
    "resource",
    "ifNamePrefix",
  ].map((key) => key.toLowerCase()),
);

// Source: CNI spec 1.1.0 "Configuration format" and CONVENTIONS.md; libcni puts cni.dev/ keys in.
const foreignKeys: ReadonlySet<string> = new Set(
  [
    "aliases",
    "bandwidth",
    "cgroupPath",
    "cniVersions",
    "disableCheck",
    "disableGC",
    "dns",
    "infinibandGUID",
    "ipRanges",
    "loadOnlyInlinedPlugins",
    "portMappings",
  ].map((key) => key.toLowerCase()),
);

/** Whether a top-level key belongs to someone else and is passed over. */
export function isForeignKey(key: string): boolean {
  return key.startsWith("cni.dev/") || foreignKeys.has(key.toLowerCase());
}
