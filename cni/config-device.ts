// Which VF a configuration names: Multus and others write it in up to three places.

import { isGiven } from "../sriov/config-object.ts";
import { describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { parsePciAddress, type PciAddress } from "../sriov/pci-address.ts";
import { PciAddressError } from "../sriov/errors.ts";

interface DeviceSources {
  readonly deviceID?: string | undefined;
  readonly pciBusID?: string | undefined;
  /** What `runtimeConfig` has as `deviceID`. */
  readonly runtime: unknown;
}

export interface DeviceChoice {
  readonly address: PciAddress | undefined;
  /** Whether `runtimeConfig` alone names it. */
  readonly isWish: boolean;
  readonly problems: readonly ConfigProblem[];
}

/** The one VF that `runtimeConfig.deviceID`, `deviceID` and `pciBusID` name; none, when none is given. They may not contradict each other. */
export function readDevice({ deviceID, pciBusID, runtime }: DeviceSources): DeviceChoice {
  const sources = [
    ["runtimeConfig.deviceID", runtime],
    ["deviceID", deviceID],
    ["pciBusID", pciBusID],
  ] as const;
  const problems: ConfigProblem[] = [];
  let address: PciAddress | undefined;
  for (const [path, value] of sources) {
    if (!isGiven(value)) continue;
    const found = parseAddress(value);
    if (found === undefined) problems.push(describeValue(path, "a PCI address like 0000:3b:02.1", value));
    else if (address !== undefined && found !== address)
      problems.push(describeValue(path, `the same device as elsewhere (${address})`, value));
    else address = found;
  }
  const isWish = !isGiven(deviceID) && !isGiven(pciBusID);
  return { address: problems.length === 0 ? address : undefined, isWish, problems };
}

function parseAddress(value: unknown): PciAddress | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return parsePciAddress(value);
  } catch (error) {
    if (error instanceof PciAddressError) return undefined;
    throw error;
  }
}
