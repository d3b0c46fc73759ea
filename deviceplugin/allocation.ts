// The answer to Allocate for one container: refuses only what cannot work, because an error here fails the pod for good.
import type { ContainerAllocateResponse } from "../kubelet/gen/deviceplugin.ts";
import { isNetworkVf, type VirtualFunction } from "../sriov/inventory.ts";
import { isPciAddress, type PciAddress } from "../sriov/pci-address.ts";
import type { DeviceList, OfferedDevice } from "./device-tree.ts";
import { formatEnvironment } from "./environment.ts";
import { AllocationError } from "./errors.ts";

/**
 * What a container with the devices `ids` gets. `readLive` reads a VF as it is now, since the last scan can be old.
 * Throws ERR_ALLOCATION for a device that is unknown, vanished or has another driver.
 */
export function allocateDevices(
  resource: string,
  offered: DeviceList,
  ids: readonly string[],
  readLive: (address: PciAddress) => VirtualFunction | undefined,
): ContainerAllocateResponse {
  const addresses = ids.map((id) => checkDevice(resource, offered, id, readLive));
  return {
    envs: formatEnvironment(resource, addresses),
    mounts: [],
    devices: [],
    annotations: {},
    cdiDevices: [],
  };
}

function checkDevice(
  resource: string,
  offered: DeviceList,
  id: string,
  readLive: (address: PciAddress) => VirtualFunction | undefined,
): PciAddress {
  const device = isPciAddress(id) ? offered.get(id) : undefined;
  if (device === undefined) throw new AllocationError("unknown", resource, id, "no such device is offered");
  const live = readLive(device.address);
  if (live === undefined)
    throw new AllocationError("vanished", resource, id, "the device is gone from the PCI bus");
  const problem = whyWrongDriver(device, live);
  if (problem !== undefined) throw new AllocationError("driver", resource, id, problem);
  return device.address;
}

function whyWrongDriver(device: OfferedDevice, live: VirtualFunction): string | undefined {
  if (live.driver === device.driver || isNetworkVf(live)) return undefined;
  return `expected the driver ${device.driver ?? "none"}, got ${live.driver ?? "none"}`;
}
