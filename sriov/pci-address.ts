// PCI addresses as the kernel prints them: domain:bus:device.function, "0000:3b:02.1".

import { PciAddressError } from "./errors.ts";

/** A PCI address in canonical form: lower case, domain of at least four digits. */
export type PciAddress = string & { readonly __brand: "PciAddress" };

const canonical = /^(?:[0-9a-f]{4}|[1-9a-f][0-9a-f]{4,7}):[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/;
const accepted = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/;

/** The canonical form of `text`; upper case and a missing domain (0000) are accepted. Throws ERR_PCI_ADDRESS. */
export function parsePciAddress(text: string): PciAddress {
  const parts = accepted.exec(text.trim().toLowerCase());
  if (parts === null) throw new PciAddressError(text);
  const domain = Number.parseInt(parts[1] ?? "0", 16);
  return `${hex(domain, 4)}:${parts[2]}:${parts[3]}.${parts[4]}` as PciAddress;
}

/** True for canonical addresses only: what sysfs uses as a folder name. */
export function isPciAddress(text: string): text is PciAddress {
  return canonical.test(text);
}

/** Orders addresses by domain, bus, device and function; the order in which several VFs are locked. */
export function comparePciAddress(a: PciAddress, b: PciAddress): number {
  // Canonical text of the same length sorts as its numbers do.
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The PCI domain as a number. */
export function pciDomain(address: PciAddress): number {
  return Number.parseInt(address.slice(0, -8), 16);
}

/** The 16-bit routing id (bus, device, function): VF n has the PF's plus offset plus n strides (PCIe SR-IOV, 2.1.2). */
export function pciRoutingId(address: PciAddress): number {
  const [bus, device, fn] = [address.slice(-7, -5), address.slice(-4, -2), address.slice(-1)];
  return (Number.parseInt(bus, 16) << 8) | (Number.parseInt(device, 16) << 3) | Number(fn);
}

/** The address of a routing id in a domain. */
export function formatPciAddress(domain: number, routingId: number): PciAddress {
  const [bus, device, fn] = [routingId >> 8, (routingId >> 3) & 0x1f, routingId & 7];
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}` as PciAddress;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
