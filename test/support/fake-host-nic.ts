// Puts a NIC into the fake node: the PF, its VFs, their netdevs and their sysfs; and VFs that come and go.

import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { FakeClock } from "./fake-host-clock.ts";
import { addLink, createFakeVf, findByName, type FakeKernel, type FakeLink } from "./fake-host-kernel.ts";
import { announceLink, dropLink, renameLink } from "./fake-host-rules.ts";
import { addNetdev, addPciDevice, addPf, linkVf, removePciDevice, setDriverLink } from "./fake-host-sysfs.ts";
import type { FakePf } from "./fake-host.ts";

/** A PF of the node, and what names and addresses of its VFs are made of. */
export interface FakeNic {
  readonly pf: FakePf;
  readonly number: number;
  readonly link: FakeLink;
}

/** How long udev takes to rename a netdev that appears. */
const udevMs = 100;

/** The address of VF `vf` of the PF at `pf`: device 2 and up on the same bus. */
export function vfAddress(pf: string, vf: number): string {
  const device = (2 + Math.floor(vf / 8)).toString(16).padStart(2, "0");
  return `${pf.slice(0, -4)}${device}.${vf % 8}`;
}

/** Adds PF number `number` of the node. VF n of ens1f0 is ens1f0v<n>, with an altname as udev gives it, and its MAC ends in n. */
export function addFakePf(kernel: FakeKernel, pf: FakePf, number: number): void {
  const { sysfs } = kernel.host;
  const driver = pf.driver ?? "igb";
  addPciDevice(sysfs, { ...identityOf(pf), address: pf.address, driver, device: "0x10c9" });
  addPf(sysfs, pf.address, Math.max(8, pf.vfs));
  const up = { isUp: pf.isDown !== true, hasCarrier: pf.isDown !== true };
  const link = addLink(kernel, { name: pf.name, mac: mac(number, 255), device: pf.address, driver, ...up });
  addNetdev(sysfs, pf.name, pf.address);
  const nic = { pf, number, link };
  kernel.nics.push(nic);
  for (let vf = 0; vf < pf.vfs; vf += 1) {
    const isUserspace = pf.userspace?.includes(vf) === true;
    addVf(kernel, nic, vf, isUserspace ? "vfio-pci" : `${driver}vf`);
    if (!isUserspace) addVfLink(kernel, nic, vf, { name: `${pf.name}v${vf}`, isNamed: true });
  }
}

/** What writing `sriov_numvfs` does: from none to `count`, or to none; the kernel refuses all else. */
export function setNumVfs(
  kernel: FakeKernel,
  nic: FakeNic,
  count: number,
  clock: FakeClock,
): string | undefined {
  const { pf, link } = nic;
  if (count > Math.max(8, pf.vfs)) return "ERANGE";
  if (count > 0 && link.vfs.length > 0) return link.vfs.length === count ? undefined : "EBUSY";
  for (const vf of link.vfs.splice(0)) {
    const address = vfAddress(pf.address, vf.vf);
    dropLink(kernel, address);
    removePciDevice(kernel.host.sysfs, pf.address, vf.vf, address);
  }
  for (let vf = 0; vf < count; vf += 1) {
    addVf(kernel, nic, vf, `${link.driver}vf`);
    bringNetdev(kernel, nic, vf, clock);
  }
  return undefined;
}

/** What unbinding does: the netdev is destroyed, wherever it is; a MAC that the PF did not set is forgotten. */
export function unbindVf(kernel: FakeKernel, address: string): void {
  setDriverLink(kernel.host.sysfs, address, undefined);
  dropLink(kernel, address);
  rmSync(join(kernel.host.sysfs, "bus/pci/devices", address, "net"), { recursive: true, force: true });
  const found = findVf(kernel, address);
  const side = found?.nic.link.vfs[found.vf];
  if (side !== undefined && !side.hasAdminMac) side.mac = "00:00:00:00:00:00";
}

/** What a successful probe does: a network driver makes a netdev, which udev renames a little later. */
export function bindVf(
  kernel: FakeKernel,
  address: string,
  driver: string | undefined,
  clock: FakeClock,
): void {
  const found = findVf(kernel, address);
  if (found === undefined) return;
  const chosen = driver ?? `${found.nic.link.driver}vf`;
  setDriverLink(kernel.host.sysfs, address, chosen);
  if (!handingOut.has(chosen)) bringNetdev(kernel, found.nic, found.vf, clock);
}

function findVf(
  kernel: FakeKernel,
  address: string,
): { readonly nic: FakeNic; readonly vf: number } | undefined {
  return kernel.nics
    .flatMap((nic) => nic.link.vfs.map(({ vf }) => ({ nic, vf })))
    .find(({ nic, vf }) => vfAddress(nic.pf.address, vf) === address);
}

function addVf(kernel: FakeKernel, { pf, number, link }: FakeNic, vf: number, driver: string): void {
  const { sysfs } = kernel.host;
  const address = vfAddress(pf.address, vf);
  link.vfs.push(createFakeVf(vf, driver === "vfio-pci" ? "00:00:00:00:00:00" : mac(number, vf)));
  addPciDevice(sysfs, { ...identityOf(pf), address, driver, device: "0x10ca" });
  linkVf(sysfs, {
    pf: pf.address,
    vf,
    address,
    firstIrq: 40 + number * 100 + vf * 3,
    group: 10 + number * 10 + vf,
  });
}

function bringNetdev(kernel: FakeKernel, nic: FakeNic, vf: number, clock: FakeClock): void {
  const link = addVfLink(kernel, nic, vf, { name: `eth${kernel.nextIndex}`, isNamed: false });
  announceLink(kernel.host, link);
  const kernelName = link.name;
  // A MAC that is not random is worth a name to udev.
  const byMac = link.pfSide?.hasAdminMac === true ? [`enx${link.mac.replaceAll(":", "")}`] : [];
  clock.after(udevMs, () => {
    if (kernel.host.links.get(link.index) !== link) return;
    const { name, altNames: byPlace } = namesOf(nic, vf);
    const altNames = [...byPlace, ...byMac];
    if (link.name === kernelName && findByName(kernel.host, name) === undefined)
      renameLink(kernel.host, link, name);
    link.altNames.push(...altNames.filter((altName) => findByName(kernel.host, altName) === undefined));
    writeFileSync(join(dirname(kernel.host.sysfs), "run/udev/data", `n${link.index}`), "");
  });
}

function addVfLink(
  kernel: FakeKernel,
  nic: FakeNic,
  vf: number,
  { name, isNamed }: { readonly name: string; readonly isNamed: boolean },
): FakeLink {
  const { pf, number, link: pfLink } = nic;
  const side = pfLink.vfs[vf];
  const address = vfAddress(pf.address, vf);
  // A driver that gets no MAC from the PF takes a random one.
  const random = `0a:00:00:00:${hex(number)}:${hex(kernel.nextIndex)}`;
  const given = side?.hasAdminMac === true ? side.mac : random;
  const ownMac = isNamed ? mac(number, vf) : given;
  if (side !== undefined) side.mac = ownMac;
  const altNames = isNamed ? [...namesOf(nic, vf).altNames] : [];
  const device = { device: address, pfSide: side, driver: pfLink.driver };
  const link = addLink(kernel, { name, mac: ownMac, altNames, ...device });
  addNetdev(kernel.host.sysfs, name, address, isNamed);
  return link;
}

function namesOf(
  { pf, number }: FakeNic,
  vf: number,
): { readonly name: string; readonly altNames: readonly string[] } {
  return { name: `${pf.name}v${vf}`, altNames: [`enp${number}s0v${vf}`] };
}

function identityOf(pf: FakePf): { readonly numaNode: number; readonly vendor: string } {
  return { numaNode: pf.numaNode ?? 0, vendor: "0x8086" };
}

function mac(pf: number, last: number): string {
  return `02:00:00:00:${hex(pf)}:${hex(last)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** Drivers that hand the device to a program: no netdev. */
const handingOut: ReadonlySet<string> = new Set(["vfio-pci", "uio_pci_generic", "igb_uio"]);
