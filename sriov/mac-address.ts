// Ethernet addresses: lower case, colon-separated.

import { MacAddressError } from "./errors.ts";

/** The address of nothing: a VF to which the PF gave no admin MAC. */
export const zeroMac = "00:00:00:00:00:00";

const shape = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$|^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$/;

/** Canonical form of six bytes separated by ":" or "-", upper or lower case. Throws ERR_MAC_ADDRESS. */
export function parseMac(text: string): string {
  const lower = text.trim().toLowerCase();
  if (!shape.test(lower)) throw new MacAddressError(text);
  return lower.replaceAll("-", ":");
}

/** As `parseMac`, and an address that an interface may have: neither multicast nor zero. Throws ERR_MAC_ADDRESS. */
export function parseUnicastMac(text: string): string {
  const mac = parseMac(text);
  if (isMulticastMac(mac) || mac === zeroMac) throw new MacAddressError(text, "a unicast MAC address");
  return mac;
}

/** True for group addresses (lowest bit of the first byte), broadcast included. `mac` is canonical. */
export function isMulticastMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}
