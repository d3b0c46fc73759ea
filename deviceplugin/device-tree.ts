// What there is to offer: for each resource its devices, and for each VF that is left out the reason.
import { type Inventory, isNetworkVf, type VirtualFunction } from "../sriov/inventory.ts";
import { comparePciAddress, type PciAddress } from "../sriov/pci-address.ts";

/** A VF as it is offered: what of it matters to the kubelet and to its pod. */
export type OfferedDevice = Pick<VirtualFunction, "address" | "pf" | "driver" | "numaNode" | "inode">;

/** Devices in PCI order, by PCI address, which is their id at the kubelet. */
export type DeviceList = ReadonlyMap<PciAddress, OfferedDevice>;

export interface DeviceTree {
  /** By resource name. A resource that has no device now is in it with an empty list. */
  readonly resources: ReadonlyMap<string, DeviceList>;
  readonly leftOut: ReadonlyMap<PciAddress, string>;
}

/** The one resource there is without configuration. */
export const defaultResource = "sriov/vf";

/** Every VF that has a network driver, wherever its netdev is, except those of `nodeUse`: VFs that the node lives on, with the reason. */
export function buildDeviceTree(inventory: Inventory, nodeUse: ReadonlyMap<PciAddress, string>): DeviceTree {
  const devices = new Map<PciAddress, OfferedDevice>();
  const leftOut = new Map<PciAddress, string>();
  for (const vf of [...inventory.vfs.values()].toSorted((a, b) => comparePciAddress(a.address, b.address))) {
    const reason = nodeUse.get(vf.address) ?? whyNoNetworkDevice(vf);
    if (reason === undefined) devices.set(vf.address, toOffered(vf));
    else leftOut.set(vf.address, reason);
  }
  return { resources: new Map([[defaultResource, devices]]), leftOut };
}

function whyNoNetworkDevice(vf: VirtualFunction): string | undefined {
  if (isNetworkVf(vf)) return undefined;
  return vf.driver === undefined ? "no driver" : `not a network driver: ${vf.driver}`;
}

function toOffered({ address, pf, driver, numaNode, inode }: VirtualFunction): OfferedDevice {
  return { address, pf, driver, numaNode, inode };
}
