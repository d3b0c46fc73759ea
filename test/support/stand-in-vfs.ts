// The VFs of a node of stand-ins: folders of its sysfs and veth links, which come and go with `sriov_numvfs` as with a driver.

import * as fs from "node:fs";
import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import { vfAddress } from "./fake-host-nic.ts";
import { addPciDevice, linkVf, removePciDevice } from "./fake-host-sysfs.ts";
import { standInAlias, standInName, writeFreshVfs } from "./stand-in-host.ts";

/** The PF of every node of stand-ins. */
export const standInPf = "0000:3b:00.0";

/** Runs `ip` in the namespace that is the host's. */
export type RunIp = (command: string) => void;

/** What a PF and each of its VFs has in sysfs. */
export function addStandInDevice(root: string, address: string): void {
  const sysfs = join(root, "sys");
  addPciDevice(sysfs, { address, driver: "igb", numaNode: 0, vendor: "0x8086", device: "0x10c9" });
  fs.mkdirSync(join(sysfs, "bus/pci/devices", address, "net"));
}

/** The link that stands for the device at `address`, down. */
export function addStandInLink(root: string, address: string, ip: RunIp): void {
  const name = standInName(address);
  ip(`link add ${name} type veth peer name ${name}p`);
  ip(`link set ${name}p up`);
  ip(`link set ${name} alias ${standInAlias(root, address)}`);
}

/** How many VFs there are. */
export function countStandInVfs(root: string): number {
  const entries = fs.readdirSync(join(root, "sys/bus/pci/devices", standInPf));
  return entries.filter((name) => name.startsWith("virtfn")).length;
}

/**
 * What the kernel does when `sriov_numvfs` is written, before the write returns. Throws EBUSY for another number than there is,
 * ERANGE over the total. Source: Linux drivers/pci/pci-sysfs.c, sriov_numvfs_store.
 */
export function setStandInVfs(root: string, count: number, ip: RunIp): void {
  const sysfs = join(root, "sys");
  const folder = join(sysfs, "bus/pci/devices", standInPf);
  const path = join(folder, "sriov_numvfs");
  const before = countStandInVfs(root);
  if (count > Number(fs.readFileSync(join(folder, "sriov_totalvfs"), "utf8")))
    throw new SystemCallError("write", path, "ERANGE");
  if (count > 0 && before > 0 && count !== before) throw new SystemCallError("write", path, "EBUSY");
  for (let vf = before - 1; vf >= count; vf -= 1) {
    const address = vfAddress(standInPf, vf);
    removePciDevice(sysfs, standInPf, vf, address);
    ip(`link del ${standInName(address)}`);
  }
  for (let vf = before; vf < count; vf += 1) {
    const address = vfAddress(standInPf, vf);
    addStandInDevice(root, address);
    linkVf(sysfs, { pf: standInPf, vf, address, firstIrq: 40 + vf * 3, group: 10 + vf });
    addStandInLink(root, address, ip);
  }
  writeFreshVfs(root, count);
}
