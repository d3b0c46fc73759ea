// The environment that tells a container which VFs it has: names and JSON as sriov-network-device-plugin made them known.
import type { PciAddress } from "../sriov/pci-address.ts";

/** "sriov/vf" -> "PCIDEVICE_SRIOV_VF": upper case, "." and "/" become "_", "-" stays. */
export function formatVariableName(resource: string): string {
  return `PCIDEVICE_${resource.replaceAll(/[./]/gu, "_").toUpperCase()}`;
}

/** The addresses joined by commas, and beside them, as `..._INFO`, a JSON object by address. A VF with a kernel driver has the section `generic` alone. */
export function formatEnvironment(
  resource: string,
  addresses: readonly PciAddress[],
): Record<string, string> {
  const name = formatVariableName(resource);
  const info = addresses.map((address) => [address, { generic: { deviceID: address } }] as const);
  return { [name]: addresses.join(","), [`${name}_INFO`]: JSON.stringify(Object.fromEntries(info)) };
}
