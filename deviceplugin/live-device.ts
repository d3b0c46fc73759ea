// A device as it is now, since the last look at the node can be old.
import type { Host } from "../host/host.ts";
import { type DeviceId, readAuxDevice } from "../sriov/aux-device.ts";
import { isNetworkVf, readVf } from "../sriov/inventory.ts";
import { isPciAddress } from "../sriov/pci-address.ts";

export interface LiveDevice {
  readonly address: DeviceId;
  readonly driver: string | undefined;
  /** A kernel network driver has it. */
  readonly isKernels: boolean;
  readonly iommuGroup: number | undefined;
}

/** `undefined` when there is no such device. */
export function readLiveDevice(
  host: Pick<Host, "files" | "paths">,
  address: DeviceId,
): LiveDevice | undefined {
  if (!isPciAddress(address)) {
    const found = readAuxDevice(host, address);
    return found && { address, driver: found.parent.driver, isKernels: true, iommuGroup: undefined };
  }
  const vf = readVf(host, address);
  return vf && { address, driver: vf.driver, isKernels: isNetworkVf(vf), iommuGroup: vf.iommuGroup };
}
