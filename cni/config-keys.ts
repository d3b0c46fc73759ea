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

// Keys that give a VF without asking the kubelet which ones the pod has.
const vfKeys: ReadonlySet<string> = new Set(["deviceid", "pcibusid", "pf"]);

/** Whether a key names the VF or its PF: in any case, as all our keys. */
export function isVfKey(key: string): boolean {
  return vfKeys.has(key.toLowerCase());
}

/** Whether there is such a key at the top of a configuration, or in its `runtimeConfig`. */
export function hasKey(config: object, isWanted: (key: string) => boolean): boolean {
  const { runtimeConfig } = config as { readonly runtimeConfig?: object | null };
  return [...Object.keys(config), ...Object.keys(runtimeConfig ?? {})].some((key) => isWanted(key));
}

/** Whether a top-level key belongs to someone else and is passed over. */
export function isForeignKey(key: string): boolean {
  return key.startsWith("cni.dev/") || foreignKeys.has(key.toLowerCase());
}
