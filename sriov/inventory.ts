// The SR-IOV devices of the node, read once into one immutable value.

import type { Host } from "../host/host.ts";
import { comparePciAddress, isPciAddress, pciRoutingId, type PciAddress } from "./pci-address.ts";
import {
  pciFolder,
  readLinkName,
  readLocality,
  readPciDevice,
  type Locality,
  type PciDevice,
} from "./pci-device.ts";
import { readNumber } from "./sysfs.ts";

/** A device that can have virtual functions (it has `sriov_totalvfs`), of any PCI class. */
export interface PhysicalFunction {
  readonly address: PciAddress;
  readonly driver: string | undefined;
  /** In this network namespace; switchdev representors come last. */
  readonly netdevs: readonly string[];
  readonly totalVfs: number;
  /** Counted by the links: up to Linux 6.8 a reader of `sriov_numvfs` waits, a minute long, while VFs are made. */
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
  /** Also the PF's where the VF says -1. */
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

/** Of a VF what giving it away goes by: without its netdevs, where it is in the machine, and its interrupts. */
export type VfBasics = Omit<
  VirtualFunction,
  "netdevs" | "numaNode" | "localCpus" | "vendor" | "device" | "irqs"
>;

/** Of a VF where it is in the machine and its interrupts, and by what it is told that it is the same. */
export type TunableVf = Omit<VirtualFunction, "netdevs" | "vendor" | "device" | "iommuGroup">;

export interface Inventory {
  readonly pfs: ReadonlyMap<PciAddress, PhysicalFunction>;
  readonly vfs: ReadonlyMap<PciAddress, VirtualFunction>;
}

type Sysfs = Pick<Host, "files" | "paths">;

/** All PFs and VFs of the node, in PCI order. A device that vanishes meanwhile is left out. Source: Documentation/ABI/testing/sysfs-bus-pci. */
export function readInventory(host: Sysfs): Inventory {
  const pfs = new Map<PciAddress, PhysicalFunction>();
  const vfs = new Map<PciAddress, VirtualFunction>();
  const listed = host.files.list(`${host.paths.sys}/bus/pci/devices`) ?? [];
  for (const address of listed.filter(isPciAddress).toSorted(comparePciAddress)) {
    // A VF comes after its PF and is no PF itself: no need to look.
    const pf = vfs.has(address) ? undefined : readPf(host, address);
    if (pf === undefined) continue;
    pfs.set(address, pf);
    const ofPf = readLocality(host, pciFolder(host, address));
    for (const [index, vfAddress] of pf.vfs.entries()) {
      const vf = readVfOf(host, { address: vfAddress, index, pf: address }, () => ofPf);
      if (vf !== undefined) vfs.set(vfAddress, vf);
    }
  }
  return { pfs, vfs };
}

/** One VF with few reads; `undefined` when there is no such VF. */
export function readVf(host: Sysfs, address: PciAddress): VirtualFunction | undefined {
  const place = readVfPlace(host, address, (pf) => readVfNumbering(host, pf));
  if (place === undefined) return undefined;
  return readVfOf(host, place, () => readLocality(host, pciFolder(host, place.pf)));
}

/** Of many VFs in one look what tuning goes by, with half of the reads: what is their PFs' is read once. */
export function createTunableVfReader(host: Sysfs): (address: PciAddress) => TunableVf | undefined {
  const readNumbering = ofEachPf((pf) => readVfNumbering(host, pf));
  const readPfLocality = ofEachPf((pf) => readLocality(host, pciFolder(host, pf)));
  return (address) => {
    const vf = readVfIdentity(host, address, readNumbering);
    if (vf === undefined) return undefined;
    const own = readLocality(host, pciFolder(host, address));
    const locality = own.numaNode === undefined ? readPfLocality(vf.pf) : own;
    return { ...vf, ...locality, irqs: readVfIrqs(host, address) };
  };
}

function ofEachPf<T>(read: (pf: PciAddress) => T): (pf: PciAddress) => T {
  const known = new Map<PciAddress, T>();
  return (pf) => {
    const value = known.get(pf) ?? read(pf);
    known.set(pf, value);
    return value;
  };
}

/** The same of one VF with half of the reads: for ADD and DEL. */
export function readVfBasics(host: Sysfs, address: PciAddress): VfBasics | undefined {
  const vf = readVfIdentity(host, address, (pf) => readVfNumbering(host, pf));
  if (vf === undefined) return undefined;
  const group = readLinkName(host, `${pciFolder(host, address)}/iommu_group`);
  return { ...vf, iommuGroup: group === undefined ? undefined : Number(group) };
}

/** Which VF it is, and who drives it. */
function readVfIdentity(
  host: Sysfs,
  address: PciAddress,
  readNumbering: (pf: PciAddress) => VfNumbering,
): Omit<VfBasics, "iommuGroup"> | undefined {
  const place = readVfPlace(host, address, readNumbering);
  const folder = pciFolder(host, address);
  const inode = place === undefined ? undefined : host.files.stat(folder)?.inode;
  if (place === undefined || inode === undefined) return undefined;
  return {
    ...place,
    driver: readLinkName(host, `${folder}/driver`),
    classCode: readNumber(host.files, `${folder}/class`) ?? 0,
    inode,
  };
}

/** Interrupts of a VF in numeric order: the position is the MSI index. */
export function readVfIrqs(host: Sysfs, address: PciAddress): readonly number[] {
  const irqs = host.files.list(`${pciFolder(host, address)}/msi_irqs`) ?? [];
  return irqs.map(Number).toSorted((a, b) => a - b);
}

type VfPlace = Pick<VirtualFunction, "address" | "index" | "pf">;

function readVfPlace(
  host: Sysfs,
  address: PciAddress,
  readNumbering: (pf: PciAddress) => VfNumbering,
): VfPlace | undefined {
  const pf = readLinkName(host, `${pciFolder(host, address)}/physfn`);
  if (pf === undefined || !isPciAddress(pf)) return undefined;
  const index = readVfIndex(host, pf, address, readNumbering(pf));
  return index === undefined ? undefined : { address, index, pf };
}

/** Whether the device is for the network, whatever driver it has; an accelerator is not. */
export function isNetworkDevice({ classCode }: Pick<VirtualFunction, "classCode">): boolean {
  return classCode >> 16 === networkClass;
}

/** Whether a kernel network driver has the VF, wherever its netdev is. */
export function isNetworkVf(vf: Pick<VirtualFunction, "driver" | "classCode">): boolean {
  return isNetworkDevice(vf) && vf.driver !== undefined && !isUserspaceDriver(vf.driver);
}

/** Whether a program in userspace has the VF, by a driver that hands devices out: it has no netdev then. */
export function isUserspaceVf(vf: Pick<VirtualFunction, "driver" | "classCode">): boolean {
  return isNetworkDevice(vf) && vf.driver !== undefined && isUserspaceDriver(vf.driver);
}

/** Whether the driver does nothing itself and hands the device to a program. */
export function isUserspaceDriver(driver: string): boolean {
  return userspaceDrivers.has(driver);
}

const networkClass = 0x02;
const userspaceDrivers: ReadonlySet<string> = new Set(["vfio-pci", "uio_pci_generic", "igb_uio"]);

/** One PF; `undefined` when there is no such device, or it can have no VFs. */
export function readPf(host: Sysfs, address: PciAddress): PhysicalFunction | undefined {
  const totalVfs = readNumber(host.files, `${pciFolder(host, address)}/sriov_totalvfs`);
  const pf = totalVfs === undefined ? undefined : readPciDevice(host, address);
  if (totalVfs === undefined || pf === undefined) return undefined;
  const { driver, netdevs, vendor, device, classCode } = pf;
  const { numaNode } = readLocality(host, pf.folder);
  const vfs = readVfLinks(host, pf);
  return {
    address,
    driver,
    netdevs,
    totalVfs,
    numVfs: vfs.length,
    numaNode,
    vendor,
    device,
    classCode,
    vfs,
  };
}

// By index, up to the first gap: while the kernel adds or removes VFs the rest is left to the next look.
function readVfLinks(host: Sysfs, { folder, entries }: PciDevice): readonly PciAddress[] {
  const found: PciAddress[] = [];
  const count = entries.filter((entry) => entry.startsWith("virtfn")).length;
  for (let index = 0; index < count; index += 1) {
    const name = readLinkName(host, `${folder}/virtfn${index}`);
    if (name === undefined || !isPciAddress(name)) break;
    found.push(name);
  }
  return found;
}

// A VF that does not know its place is where its PF is.
function readVfOf(host: Sysfs, vf: VfPlace, readPfLocality: () => Locality): VirtualFunction | undefined {
  const found = readPciDevice(host, vf.address);
  if (found === undefined) return undefined;
  const { folder, entries, driver, netdevs, vendor, device, classCode, inode } = found;
  const own = readLocality(host, folder);
  const { numaNode, localCpus } = own.numaNode === undefined ? readPfLocality() : own;
  const group = entries.includes("iommu_group") ? readLinkName(host, `${folder}/iommu_group`) : undefined;
  return {
    ...vf,
    driver,
    netdevs,
    numaNode,
    localCpus,
    vendor,
    device,
    classCode,
    inode,
    iommuGroup: group === undefined ? undefined : Number(group),
    irqs: entries.includes("msi_irqs") ? readVfIrqs(host, vf.address) : [],
  };
}

/** Where the routing ids of a PF's VFs begin, and how far they are apart. */
interface VfNumbering {
  readonly offset: number | undefined;
  readonly stride: number | undefined;
}

function readVfNumbering(host: Sysfs, pf: PciAddress): VfNumbering {
  const folder = pciFolder(host, pf);
  return {
    offset: readNumber(host.files, `${folder}/sriov_offset`),
    stride: readNumber(host.files, `${folder}/sriov_stride`),
  };
}

// Computed from the routing id where the kernel tells offset and stride, and confirmed; else every link is tried.
function readVfIndex(
  host: Sysfs,
  pf: PciAddress,
  vf: PciAddress,
  { offset, stride }: VfNumbering,
): number | undefined {
  const folder = pciFolder(host, pf);
  const isAt = (index: number): boolean => readLinkName(host, `${folder}/virtfn${index}`) === vf;
  if (offset !== undefined && stride !== undefined && stride > 0) {
    const index = (pciRoutingId(vf) - pciRoutingId(pf) - offset) / stride;
    if (Number.isInteger(index) && index >= 0 && isAt(index)) return index;
  }
  const links = (host.files.list(folder) ?? []).filter((entry) => entry.startsWith("virtfn"));
  return links.map((entry) => Number(entry.slice("virtfn".length))).find(isAt);
}
