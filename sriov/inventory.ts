// The SR-IOV devices of the node, read once into one immutable value.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "./pci-address.ts";

/** A device that can have virtual functions (it has `sriov_totalvfs`), of any PCI class. */
export interface PhysicalFunction {
  readonly address: PciAddress;
  readonly driver: string | undefined;
  /** In this network namespace; switchdev representors come last. */
  readonly netdevs: readonly string[];
  readonly totalVfs: number;
  readonly numVfs: number;
  readonly numaNode: number | undefined;
  /** Four hex digits, "8086". */
  readonly vendor: string;
  readonly device: string;
  /** 24 bits: class, subclass, programming interface; 0x020000 is Ethernet. */
  readonly classCode: number;
  /** By VF index. */
  readonly vfs: readonly PciAddress[];
}

/** A virtual function, wherever its netdev is. */
export interface VirtualFunction {
  readonly address: PciAddress;
  readonly index: number;
  readonly pf: PciAddress;
  readonly driver: string | undefined;
  /** In this network namespace: none while the VF is inside a pod. */
  readonly netdevs: readonly string[];
  /** The PF's where the VF says -1. */
  readonly numaNode: number | undefined;
  readonly localCpus: readonly number[];
  readonly vendor: string;
  readonly device: string;
  readonly classCode: number;
  /** Of the PCI device directory: the identity. After numvfs 0 -> N the same address has another one. */
  readonly inode: bigint;
  readonly iommuGroup: number | undefined;
  /** `msi_irqs` in numeric order: the position is the MSI index. */
  readonly irqs: readonly number[];
}

export interface Inventory {
  readonly pfs: ReadonlyMap<PciAddress, PhysicalFunction>;
  readonly vfs: ReadonlyMap<PciAddress, VirtualFunction>;
}

/** All PFs and VFs of the node, in PCI order. A device that vanishes meanwhile is left out. Source: Documentation/ABI/testing/sysfs-bus-pci. */
export declare function readInventory(host: Pick<Host, "files" | "paths">): Inventory;

/** One VF with few reads; `undefined` when there is no such VF. */
export declare function readVf(
  host: Pick<Host, "files" | "paths">,
  address: PciAddress,
): VirtualFunction | undefined;

/** Whether a kernel network driver has the VF, wherever its netdev is. */
export declare function isNetworkVf(vf: VirtualFunction): boolean;
