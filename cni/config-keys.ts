// Top-level keys of a network configuration that runtimes, the CNI library and its specification put there.

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
