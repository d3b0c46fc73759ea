// Tells the neighbours of a VF which addresses it has now: one gratuitous ARP or unsolicited neighbour advertisement for each.

import type { Host } from "../host/host.ts";
import { concatBytes } from "../host/netlink/codec.ts";
import { encodeIp } from "../host/netlink/ip-address.ts";
import type { Link } from "../host/netlink/netlink.ts";
import { encodeMac } from "../host/netlink/values.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { IpAddress } from "./cidr.ts";

const broadcast = "ff:ff:ff:ff:ff:ff";
/** ff02::1, and the MAC that its last four bytes give (RFC 2464, section 7). */
const allNodes = "ff02::1";
const allNodesMac = "33:33:00:00:00:01";
const ETH_P_ARP = 0x0806;
const ETH_P_IPV6 = 0x86dd;
const icmpv6 = 58;

/** Sends them out of the link, which must be up and should have a carrier. Throws SystemCallError. */
export function announceAddresses(
  host: Pick<Host, "namespaces">,
  netns: NetnsHandle,
  { index, mac }: Pick<Link, "index" | "mac">,
  addresses: readonly IpAddress[],
): void {
  const frames = addresses.map((address) => encodeAnnouncement(mac, address));
  if (frames.length > 0) host.namespaces.sendFrames(netns, index, frames);
}

/** The frame that announces one address of the interface with this MAC. */
export function encodeAnnouncement(mac: string, { family, address }: IpAddress): Uint8Array {
  return family === 4 ? encodeArp(mac, address) : encodeAdvertisement(mac, address);
}

/** An ARP announcement: a request in which sender and target are the address (RFC 826; RFC 5227, section 2.3). */
function encodeArp(mac: string, address: string): Uint8Array {
  const sender = encodeMac(mac);
  const ip = encodeIp(4, address);
  const ethernetIpv4Request = new Uint8Array([...u16(1), ...u16(0x0800), 6, 4, ...u16(1)]);
  const nobody = new Uint8Array(6);
  return encodeFrame(broadcast, mac, ETH_P_ARP, [ethernetIpv4Request, sender, ip, nobody, ip]);
}

/**
 * An unsolicited neighbour advertisement to all nodes (RFC 4861, sections 4.4 and 7.2.6). Override is set, as the kernel's own
 * have it also while it looks for duplicates: the neighbours of before must forget where the address was.
 */
function encodeAdvertisement(mac: string, address: string): Uint8Array {
  const source = encodeIp(6, address);
  const target = encodeIp(6, allNodes);
  const override = 0x20;
  const linkLayerOption = [2, 1, ...encodeMac(mac)];
  const message = [136, 0, 0, 0, override, 0, 0, 0, ...source, ...linkLayerOption];
  // RFC 8200, section 8.1: the checksum goes over addresses, length and protocol too.
  const pseudoHeader = [...source, ...target, ...u16(0), ...u16(message.length), 0, 0, 0, icmpv6];
  message.splice(2, 2, ...u16(checksumOf([...pseudoHeader, ...message])));
  const hopLimit = 255;
  const header = [0x60, 0, 0, 0, ...u16(message.length), icmpv6, hopLimit, ...source, ...target];
  return encodeFrame(allNodesMac, mac, ETH_P_IPV6, [new Uint8Array([...header, ...message])]);
}

function encodeFrame(
  to: string,
  from: string,
  etherType: number,
  payload: readonly Uint8Array[],
): Uint8Array {
  return concatBytes([encodeMac(to), encodeMac(from), new Uint8Array(u16(etherType)), ...payload]);
}

/** The Internet checksum (RFC 1071) of an even number of bytes. */
function checksumOf(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function u16(value: number): readonly [number, number] {
  return [value >>> 8, value & 0xff];
}
