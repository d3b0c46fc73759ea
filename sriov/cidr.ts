// IP addresses and prefixes as configurations and CNI results write them.

import { NetlinkError } from "../host/errors.ts";
import { decodeIp, encodeIp } from "../host/netlink/ip-address.ts";

export interface IpAddress {
  readonly family: 4 | 6;
  /** Canonical text (RFC 5952 for IPv6). */
  readonly address: string;
}

export interface Cidr extends IpAddress {
  readonly prefixLength: number;
}

/** The address in `text`; `undefined` when it is none. */
export function parseIp(text: string): IpAddress | undefined {
  const family = text.includes(":") ? 6 : 4;
  try {
    return { family, address: decodeIp(encodeIp(family, text)) };
  } catch (error) {
    if (error instanceof NetlinkError) return undefined;
    throw error;
  }
}

/** An address with its prefix length, "192.0.2.5/24", host bits kept; `undefined` when it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const ip = parseIp(address);
  if (ip === undefined || rest.length > 0 || !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefixLength = Number(length);
  return prefixLength > (ip.family === 4 ? 32 : 128) ? undefined : { ...ip, prefixLength };
}

/** "192.0.2.5/24". */
export function formatCidr({ address, prefixLength }: Cidr): string {
  return `${address}/${prefixLength}`;
}

/** The network of an address: host bits cleared, as a route's destination has it. */
export function networkOf({ family, address, prefixLength }: Cidr): Cidr {
  const bytes = encodeIp(family, address).map((byte, at) => {
    const bits = Math.min(Math.max(prefixLength - at * 8, 0), 8);
    return byte & (0xff << (8 - bits));
  });
  return { family, address: decodeIp(bytes), prefixLength };
}
