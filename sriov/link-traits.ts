// Puts back how a link resolves addresses and cuts packets: a pod may set that, and the link keeps it on its way home.

import { NetlinkError } from "../host/errors.ts";
import type { Link, LinkTraitChange, LinkTraits, Netlink } from "../host/netlink/netlink.ts";
import type { KeptSetting } from "./kept-settings.ts";

/** What a driver starts with, of what does not depend on it. */
export const defaultTraits: LinkTraits = {
  hasArp: true,
  hasMulticast: true,
  broadcast: "ff:ff:ff:ff:ff:ff",
  linkMode: 0,
  group: 0,
};

/** In this order: what is set for all packets is then set for IPv4, too. */
const traits = [
  "hasArp",
  "hasMulticast",
  "broadcast",
  "linkMode",
  "group",
  "gsoMaxSegs",
  "gsoMaxSize",
  "groMaxSize",
  "gsoIpv4MaxSize",
  "groIpv4MaxSize",
] as const satisfies readonly (keyof LinkTraits)[];

/** Sets what differs from `original`; what is absent there, or a broadcast address of another kind of link, is left alone. Gives the sizes that the driver takes no more. Throws NetlinkError. */
export function restoreTraits(
  home: Pick<Netlink, "getLink" | "setLink">,
  link: Link,
  original: LinkTraits,
): readonly KeptSetting[] {
  const kept: KeptSetting[] = [];
  let now: Link | undefined = link;
  for (const trait of traits) {
    const value = original[trait];
    if (now === undefined || value === undefined || now.traits[trait] === value) continue;
    if (trait === "broadcast" && now.traits.broadcast.length !== original.broadcast.length) continue;
    const isTaken = setTrait(home, link.index, { set: "trait", trait, value } as LinkTraitChange);
    if (!isTaken) kept.push({ setting: trait, expected: String(value), got: String(now.traits[trait]) });
    now = home.getLink({ index: link.index });
  }
  return kept;
}

// A size that the driver takes no more is no reason to keep a pod from ending.
function setTrait(home: Pick<Netlink, "setLink">, index: number, change: LinkTraitChange): boolean {
  try {
    home.setLink(index, change);
    return true;
  } catch (error) {
    const isSize = change.trait.endsWith("Size") || change.trait.endsWith("Segs");
    if (!isSize || !(error instanceof NetlinkError) || error.errno !== "EINVAL") throw error;
    return false;
  }
}
