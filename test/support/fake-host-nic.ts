// Puts a NIC into the fake node: the PF, its VFs, their netdevs and their sysfs.

import { addLink, createFakeVf, type FakeKernel } from "./fake-host-kernel.ts";
import { addNetdev, addPciDevice, linkVfs } from "./fake-host-sysfs.ts";
import type { FakePf } from "./fake-host.ts";

/** The address of VF `vf` of the PF at `pf`: device 2 and up on the same bus. */
export function vfAddress(pf: string, vf: number): string {
  const device = (2 + Math.floor(vf / 8)).toString(16).padStart(2, "0");
  return `${pf.slice(0, -4)}${device}.${vf % 8}`;
}

/** Adds PF number `number` of the node. VF n of ens1f0 is ens1f0v<n>, with an altname as udev gives it, and its MAC ends in n. */
export function addFakePf(kernel: FakeKernel, pf: FakePf, number: number): void {
  const { sysfs } = kernel.host;
  const driver = pf.driver ?? "igb";
  const identity = { numaNode: pf.numaNode ?? 0, vendor: "0x8086" };
  const addresses = Array.from({ length: pf.vfs }, (_, vf) => vfAddress(pf.address, vf));
  addPciDevice(sysfs, { ...identity, address: pf.address, driver, device: "0x10c9" });
  const vfs = addresses.map((_, vf) => createFakeVf(vf, mac(number, vf)));
  const up = { isUp: true, hasCarrier: true };
  addLink(kernel, { name: pf.name, mac: mac(number, 255), device: pf.address, vfs, driver, ...up });
  addNetdev(sysfs, pf.name, pf.address);
  for (const [vf, address] of addresses.entries()) {
    addPciDevice(sysfs, { ...identity, address, driver: `${driver}vf`, device: "0x10ca" });
    const name = `${pf.name}v${vf}`;
    const device = { device: address, pfSide: vfs[vf], driver };
    addLink(kernel, { name, mac: mac(number, vf), altNames: [`enp${number}s0v${vf}`], ...device });
    addNetdev(sysfs, name, address);
  }
  linkVfs(sysfs, pf.address, addresses, 40 + number * 100);
}

function mac(pf: number, last: number): string {
  return `02:00:00:00:${hex(pf)}:${hex(last)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}
