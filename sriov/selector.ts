// Which devices a resource selects: the selectors of sriov-network-device-plugin, and how they match.

import type { PciAddress } from "./pci-address.ts";

/** VFs of one PF, by their index; no range is all of them. */
export interface PfSelector {
  /** Name of the PF's netdev in lower case, or its PCI address. */
  readonly pf: string;
  readonly ranges: readonly { readonly first: number; readonly last: number }[];
}

/** One selector: a device matches when it fits every list that is not empty and every condition that is set. */
export interface DeviceSelector {
  readonly vendors: readonly string[];
  readonly devices: readonly string[];
  readonly drivers: readonly string[];
  readonly pciAddresses: readonly PciAddress[];
  readonly acpiIndexes: readonly string[];
  readonly pfNames: readonly PfSelector[];
  readonly rootDevices: readonly PfSelector[];
  /** "ether", "infiniband", ... */
  readonly linkTypes: readonly string[];
  readonly ddpProfiles: readonly string[];
  /** InfiniBand partition keys. */
  readonly pKeys: readonly number[];
  /** "sf", ... */
  readonly auxTypes: readonly string[];
  readonly isRdma: boolean;
  readonly vdpaType: VdpaType | undefined;
  /** Selects nothing; what matches is given the nodes of vhost-net. */
  readonly needVhostNet: boolean;
}

/** The bus driver of a vDPA device: which kind of device it is made into. */
export type VdpaType = "vhost" | "virtio";

/** What selectors look at. Facts that no selector asks for may be left out of `SelectorFacts`. */
export interface SelectableDevice {
  /** Of an auxiliary device: its PCI parent's. */
  readonly address: PciAddress;
  readonly pf: PciAddress;
  /** The PF's netdevs in this namespace. */
  readonly pfNames: readonly string[];
  /** VF index; number of a subfunction. */
  readonly index: number;
  /** Four hex digits in lower case. */
  readonly vendor: string;
  readonly device: string;
  readonly driver: string | undefined;
  readonly facts: SelectorFacts;
}

/** Facts that cost a read each. */
export interface SelectorFacts {
  readonly acpiIndex?: string | undefined;
  readonly linkType?: string | undefined;
  readonly ddpProfile?: string | undefined;
  readonly pKeys?: readonly number[];
  readonly isRdma?: boolean;
  readonly vdpaType?: VdpaType | undefined;
  readonly auxType?: string | undefined;
}

/** Whether the device fits everything that the selector says. */
function matchesSelector(selector: DeviceSelector, device: SelectableDevice): boolean {
  const { facts } = device;
  return (
    allows(selector.vendors, device.vendor) &&
    allows(selector.devices, device.device) &&
    allows(selector.drivers, device.driver) &&
    allows(selector.pciAddresses, device.address) &&
    allows(selector.acpiIndexes, facts.acpiIndex) &&
    allowsPf(selector.pfNames, device.pfNames, device.index) &&
    allowsPf(selector.rootDevices, [device.pf], device.index) &&
    allows(selector.linkTypes, facts.linkType) &&
    allows(selector.ddpProfiles, facts.ddpProfile) &&
    (selector.pKeys.length === 0 || selector.pKeys.some((key) => facts.pKeys?.includes(key))) &&
    allows(selector.auxTypes, facts.auxType) &&
    (!selector.isRdma || facts.isRdma === true) &&
    (selector.vdpaType === undefined || facts.vdpaType === selector.vdpaType)
  );
}

/** The first selector of a list that the device fits. */
export function findSelector(
  selectors: readonly DeviceSelector[],
  device: SelectableDevice,
): DeviceSelector | undefined {
  return selectors.find((selector) => matchesSelector(selector, device));
}

function allows<T>(wanted: readonly T[], has: T | undefined): boolean {
  return wanted.length === 0 || (has !== undefined && wanted.includes(has));
}

function allowsPf(wanted: readonly PfSelector[], has: readonly string[], index: number): boolean {
  if (wanted.length === 0) return true;
  const names = new Set(has.map((name) => name.toLowerCase()));
  return wanted.some(({ pf, ranges }) => names.has(pf) && isInRanges(ranges, index));
}

function isInRanges(ranges: PfSelector["ranges"], index: number): boolean {
  return ranges.length === 0 || ranges.some(({ first, last }) => first <= index && index <= last);
}
