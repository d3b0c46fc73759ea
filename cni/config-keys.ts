// Top-level keys of a network configuration that runtimes, the CNI library and its specification put there.

/** Whether a key names the VF or its PF, without asking the kubelet which ones the pod has: in any case, as all our keys. */
export function isVfKey(key: string): boolean {
  const folded = key.toLowerCase();
  return folded === "deviceid" || folded === "pcibusid" || folded === "pf";
}

/** Whether there is such a key at the top of a configuration, or in its `runtimeConfig`, whatever its case. */
export function hasKey(config: object, isWanted: (key: string) => boolean): boolean {
  return Object.entries(config).some(
    ([key, value]) =>
      isWanted(key) ||
      (key.toLowerCase() === "runtimeconfig" && Object.keys((value as unknown) ?? {}).some(isWanted)),
  );
}

/** How a network may be called. */
export const networkNames = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/**
 * Whether a top-level key belongs to someone else and is passed over. Source: CNI spec 1.1.0 "Configuration format" and
 * CONVENTIONS.md; libcni puts cni.dev/ keys in.
 */
export function isForeignKey(key: string): boolean {
  // To make a set of them would cost 0.05 ms at each start.
  switch (key.toLowerCase()) {
    case "aliases":
    case "bandwidth":
    case "cgrouppath":
    case "cniversions":
    case "disablecheck":
    case "disablegc":
    case "dns":
    case "infinibandguid":
    case "ipranges":
    case "loadonlyinlinedplugins":
    case "portmappings":
      return true;
    default:
      return key.startsWith("cni.dev/");
  }
}
