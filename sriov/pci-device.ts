// What sysfs tells of one PCI device.

import { basename } from "node:path";

import type { Host } from "../host/host.ts";
import { parseCpuList } from "./cpu-list.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";
import { readAttribute, readNumber } from "./sysfs.ts";

/** Facts of a PCI device, PF or VF. */
export interface PciDevice {
  /** Its folder below /sys/bus/pci/devices. */
  readonly folder: string;
  readonly entries: readonly string[];
  readonly inode: bigint;
  readonly vendor: string;
  readonly device: string;
  readonly classCode: number;
  readonly driver: string | undefined;
  readonly netdevs: readonly string[];
}

/** Where a device is in the machine; `numaNode` is `undefined` for -1, and `localCpus` then are all. */
export interface Locality {
  readonly numaNode: number | undefined;
  readonly localCpus: readonly number[];
}

type Sysfs = Pick<Host, "files" | "paths">;

/** Where the kernel keeps the device at `address`. */
export function pciFolder(host: Pick<Host, "paths">, address: PciAddress): string {
  return `${host.paths.sys}/bus/pci/devices/${address}`;
}

/** Whether a device that the kubelet calls `id` can be a VF: not one of another bus, nor a PCI device that is there and has no PF. */
export function mayBeVf(host: Sysfs, id: string): boolean {
  if (!isPciAddress(id)) return false;
  const entries = host.files.list(pciFolder(host, id));
  return entries === undefined || entries.includes("physfn");
}

/** The device at `address`; `undefined` when there is none. Source: Documentation/ABI/testing/sysfs-bus-pci. */
export function readPciDevice(host: Sysfs, address: PciAddress): PciDevice | undefined {
  const { files } = host;
  const folder = pciFolder(host, address);
  const entries = files.list(folder);
  const inode = entries && files.stat(folder)?.inode;
  if (entries === undefined || inode === undefined) return undefined;
  return {
    folder,
    entries,
    inode,
    vendor: readHexId(host, `${folder}/vendor`),
    device: readHexId(host, `${folder}/device`),
    classCode: readNumber(files, `${folder}/class`) ?? 0,
    driver: entries.includes("driver") ? readLinkName(host, `${folder}/driver`) : undefined,
    netdevs: readNetdevs(host, folder, entries),
  };
}

/** Node and CPUs of the device whose folder this is. */
export function readLocality({ files }: Sysfs, folder: string): Locality {
  const node = readNumber(files, `${folder}/numa_node`);
  return {
    numaNode: node === undefined || node < 0 ? undefined : node,
    localCpus: parseCpuList(readAttribute(files, `${folder}/local_cpulist`) ?? ""),
  };
}

/** Netdevs of the device in this namespace, representors last: what `readPciDevice` tells, with fewer reads. */
export function readPciNetdevs(host: Sysfs, address: PciAddress): readonly string[] {
  const folder = pciFolder(host, address);
  const found = host.files.list(`${folder}/net`);
  return found === undefined
    ? readNetdevs(host, folder, host.files.list(folder) ?? [])
    : sortNetdevs(host, `${folder}/net`, found);
}

/** Last part of a symbolic link: the driver's or group's name. */
export function readLinkName({ files }: Sysfs, path: string): string | undefined {
  const target = files.readLink(path);
  return target === undefined ? undefined : basename(target);
}

// Netdevs of this namespace; virtio has a device of its own between the PCI device and its netdev.
function readNetdevs(host: Sysfs, folder: string, entries: readonly string[]): readonly string[] {
  const parents = entries.filter((entry) => entry === "net" || /^virtio\d+$/.test(entry));
  return parents.flatMap((entry) => {
    const net = entry === "net" ? `${folder}/net` : `${folder}/${entry}/net`;
    return sortNetdevs(host, net, host.files.list(net) ?? []);
  });
}

// The kernel takes the lock of all links to tell a representor: not asked about a netdev that is alone.
function sortNetdevs(host: Sysfs, net: string, names: readonly string[]): readonly string[] {
  if (names.length < 2) return names;
  const isLast = new Map(names.map((name) => [name, isRepresentor(host, `${net}/${name}`)]));
  return names.toSorted((a, b) => Number(isLast.get(a)) - Number(isLast.get(b)));
}

// In switchdev mode the PF's folder also holds one netdev per VF; its port name is pf0vf3 and the like.
function isRepresentor({ files }: Sysfs, netdev: string): boolean {
  return /^(?:c\d+)?pf\d+[vs]f\d+$/.test(readAttribute(files, `${netdev}/phys_port_name`) ?? "");
}

function readHexId({ files }: Sysfs, path: string): string {
  return (readAttribute(files, path) ?? "").replace(/^0x/, "");
}
