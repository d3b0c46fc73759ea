// The environment that tells a container which VFs it has: names and JSON as sriov-network-device-plugin made them known.
import type { DeviceId } from "../sriov/aux-device.ts";
import type { GrantInfo } from "./device-grant.ts";

/** "sriov/vf" -> "PCIDEVICE_SRIOV_VF": upper case, "." and "/" become "_", "-" stays. */
export function formatVariableName(resource: string): string {
  return `PCIDEVICE_${resource.replaceAll(/[./]/gu, "_").toUpperCase()}`;
}

/** The addresses joined by commas, in the order of `info`, and beside them, as `..._INFO`, `info` as JSON. */
export function formatEnvironment(
  resource: string,
  info: ReadonlyMap<DeviceId, GrantInfo>,
): Record<string, string> {
  const name = formatVariableName(resource);
  return { [name]: [...info.keys()].join(","), [`${name}_INFO`]: JSON.stringify(Object.fromEntries(info)) };
}
