// Devices of the auxiliary bus: subfunctions, which a PF makes beside its VFs and which have names instead of PCI addresses.

import { basename, dirname } from "node:path";

import type { Host } from "../host/host.ts";
import { comparePciAddress, isPciAddress, type PciAddress } from "./pci-address.ts";
import { pciFolder, type PciDevice, readLocality, readPciDevice } from "./pci-device.ts";
import { readNumber } from "./sysfs.ts";

/** "mlx5_core.sf.4": who made it, its type, and a number. */
export type AuxName = string & { readonly brand: "AuxName" };

/** How the kubelet knows a device. */
export type DeviceId = PciAddress | AuxName;

/** A subfunction. */
export interface AuxDevice {
  readonly name: AuxName;
  readonly pf: PciAddress;
  /** Of the PF: what sysfs tells of the subfunction itself is less. */
  readonly parent: Pick<PciDevice, "vendor" | "device" | "driver" | "netdevs">;
  readonly numaNode: number | undefined;
  /** The number under which it was made, which is not the one in its name. */
  readonly index: number;
  /** In this network namespace. */
  readonly netdevs: readonly string[];
  /** Of its device directory: the identity. */
  readonly inode: bigint;
}

type Sysfs = Pick<Host, "files" | "paths">;

const networkClass = 0x02;

/** The subfunctions of network devices, by PF and number. Source: Documentation/driver-api/auxiliary_bus.rst, networking/devlink/devlink-port.rst. */
export function readAuxDevices(host: Sysfs): readonly AuxDevice[] {
  const names = (host.files.list(`${host.paths.sys}/bus/auxiliary/devices`) ?? []).filter(isAuxName);
  const devices = names.flatMap((name) => readAuxDevice(host, name) ?? []);
  return devices.toSorted((a, b) => comparePciAddress(a.pf, b.pf) || a.index - b.index);
}

/** One subfunction; `undefined` when there is none of that name. What others than a PCI device made is none. */
export function readAuxDevice(host: Sysfs, name: AuxName): AuxDevice | undefined {
  const folder = deviceFolder(host, name);
  const pf = basename(dirname(host.files.readLink(folder) ?? ""));
  const index = readNumber(host.files, `${folder}/sfnum`);
  const inode = host.files.stat(folder)?.inode;
  const parent = isPciAddress(pf) ? readPciDevice(host, pf) : undefined;
  if (!isPciAddress(pf) || index === undefined || inode === undefined || parent === undefined)
    return undefined;
  if (parent.classCode >> 16 !== networkClass) return undefined;
  const netdevs = host.files.list(`${folder}/net`) ?? [];
  return {
    name,
    pf,
    parent,
    numaNode: readLocality(host, pciFolder(host, pf)).numaNode,
    index,
    netdevs,
    inode,
  };
}

/** The type in a name: "sf". */
export function auxTypeOf(name: AuxName): string {
  return name.split(".")[1] ?? "";
}

/** Where the kernel keeps the device. */
export function deviceFolder(host: Pick<Host, "paths">, id: DeviceId): string {
  return isPciAddress(id) ? pciFolder(host, id) : `${host.paths.sys}/bus/auxiliary/devices/${id}`;
}

function isAuxName(text: string): text is AuxName {
  return /^[\w-]+\.[\w-]+\.\d+$/.test(text);
}
