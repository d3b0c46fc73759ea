// What any program with CAP_NET_ADMIN in a link's namespace may set, and the link keeps on its way to another namespace.

import type { Attribute, Attributes } from "./codec.ts";
import type { LinkTraitChange, LinkTraits } from "./netlink.ts";
import { decodeMac, decodeU32, encodeMac, encodeU32 } from "./values.ts";

const IFF_NOARP = 0x80;
const IFF_MULTICAST = 0x1000;

/** Attributes by trait. Source: include/uapi/linux/if_link.h. */
const IFLA_BROADCAST = 2;
const IFLA_LINKMODE = 17;
const numbers = {
  group: 27,
  gsoMaxSegs: 40,
  gsoMaxSize: 41,
  groMaxSize: 58,
  gsoIpv4MaxSize: 63,
  groIpv4MaxSize: 64,
} as const;

/** The traits among a link's `attributes` and its `flags` (ifi_flags). */
export function decodeTraits(attributes: Attributes, flags: number): LinkTraits {
  const number = (type: number): number | undefined => {
    const value = attributes.get(type);
    return value && decodeU32(value);
  };
  const broadcast = attributes.get(IFLA_BROADCAST);
  return {
    hasArp: (flags & IFF_NOARP) === 0,
    hasMulticast: (flags & IFF_MULTICAST) !== 0,
    broadcast: broadcast === undefined ? "" : decodeMac(broadcast),
    linkMode: attributes.get(IFLA_LINKMODE)?.[0] ?? 0,
    group: number(numbers.group) ?? 0,
    gsoMaxSegs: number(numbers.gsoMaxSegs),
    gsoMaxSize: number(numbers.gsoMaxSize),
    groMaxSize: number(numbers.groMaxSize),
    gsoIpv4MaxSize: number(numbers.gsoIpv4MaxSize),
    groIpv4MaxSize: number(numbers.groIpv4MaxSize),
  };
}

/** What sets one of them: a flag of the link, or an attribute. */
export type TraitSetting =
  | { readonly flag: number; readonly isSet: boolean }
  | { readonly attribute: Attribute };

/** Throws NetlinkError EINVAL for a broadcast address that is none. */
export function encodeTrait(change: LinkTraitChange): TraitSetting {
  switch (change.trait) {
    case "hasArp":
      return { flag: IFF_NOARP, isSet: !change.value };
    case "hasMulticast":
      return { flag: IFF_MULTICAST, isSet: change.value };
    case "broadcast":
      return { attribute: { type: IFLA_BROADCAST, value: encodeMac(change.value) } };
    case "linkMode":
      return { attribute: { type: IFLA_LINKMODE, value: Uint8Array.of(change.value) } };
    case "group":
    case "gsoMaxSegs":
    case "gsoMaxSize":
    case "groMaxSize":
    case "gsoIpv4MaxSize":
    case "groIpv4MaxSize":
      return { attribute: { type: numbers[change.trait], value: encodeU32(change.value) } };
  }
}
