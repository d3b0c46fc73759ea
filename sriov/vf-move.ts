// Moving a VF's netdev between namespaces under a name that clashes with none.

import { NetlinkError } from "../host/errors.ts";
import type { Link, Netlink } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { formatPciAddress, pciDomain, pciRoutingId, type PciAddress } from "./pci-address.ts";
import { VfMissingError } from "./vf-errors.ts";

/** One side of a move. */
export interface Side {
  readonly netlink: Netlink;
  readonly netns: NetnsHandle;
}

/**
 * Moves `link` as `name`, which is free there, in one request, and returns it as it is there, down. A name that somebody there has
 * taken meanwhile is EEXIST after the move: the VF is there then under the name that it had. Throws NetlinkError; ERR_VF_MISSING.
 */
export function moveVfAs(from: Side, to: Side, link: Link, address: PciAddress, name: string): Link {
  from.netlink.moveLink(link.index, to.netns, name);
  return findMoved(to, address, name);
}

/**
 * Takes `link` down, gives it a name that is free on both sides, moves it once and returns it as it is there, down and under
 * that name. The kernel's move is not atomic where names clash, so none may. Throws NetlinkError; ERR_VF_MISSING.
 */
function moveVf(from: Side, to: Side, link: Link, address: PciAddress): Link {
  const name = chooseOwnName(from.netlink, to.netlink, link, address);
  if (link.isUp) from.netlink.setLink(link.index, { set: "up", value: false });
  if (link.name !== name) from.netlink.setLink(link.index, { set: "name", value: name });
  from.netlink.moveLink(link.index, to.netns);
  return findMoved(to, address, name);
}

/** What a VF was called on the host, as far as that is known: altnames that a pod gave it are dropped. */
export interface HomeNames {
  readonly name?: string | undefined;
  readonly altNames: readonly string[];
}

/**
 * Takes `link` from a pod, which could name it as it liked, and returns it as it is on the host, down: under its name there with one
 * request where that is free, otherwise as `moveVf`. Throws NetlinkError, EEXIST after the move as `moveVfAs`; ERR_VF_MISSING.
 */
export function moveVfHome(
  from: Side,
  to: Side,
  link: Link,
  address: PciAddress,
  { name, altNames }: HomeNames,
): Link {
  for (const altName of link.altNames.filter((known) => !altNames.includes(known)))
    from.netlink.removeAltName(link.index, altName);
  try {
    const isFree = name !== undefined && to.netlink.getLink({ name }) === undefined;
    return isFree ? moveVfAs(from, to, link, address, name) : moveVf(from, to, link, address);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== "EEXIST") throw error;
    const current = from.netlink.getLink({ index: link.index });
    // It is on the host, and somebody was faster with the name.
    if (current === undefined) throw error;
    for (const altName of current.altNames) from.netlink.removeAltName(link.index, altName);
    return moveVf(from, to, current, address);
  }
}

function findMoved({ netlink, netns }: Side, address: PciAddress, name: string): Link {
  const moved = netlink.getLink({ name });
  if (moved !== undefined) return moved;
  throw new VfMissingError(`${address} was moved to ${netns.label} as ${name}, and is not there`);
}

const ownPrefixes = ["vf", "vg", "vh", "vi", "vj"];

/**
 * A name for `link` that is free on both sides. It is made of the PCI address, so unique on a node by itself; a pod can still have
 * taken it. Throws ERR_VF_MISSING when all are taken.
 */
export function chooseOwnName(from: Netlink, to: Netlink, link: Link, address: PciAddress): string {
  for (const name of ownPrefixes.map((prefix) => `${prefix}${idOf(address)}`)) {
    const holder = from.getLink({ name });
    const isFree = holder === undefined || (holder.index === link.index && holder.name === name);
    if (isFree && to.getLink({ name }) === undefined) return name;
  }
  throw new VfMissingError(`no temporary name for ${address} is free in both namespaces`);
}

/** Whether `chooseOwnName` gave it. */
export function isOwnName(name: string, address: PciAddress): boolean {
  return parseOwnName(name) === address;
}

/** The VF that `chooseOwnName` gave the name to; `undefined` for other names. */
export function parseOwnName(name: string): PciAddress | undefined {
  const parts = ownName.exec(name);
  if (parts === null) return undefined;
  const [, domain = "", routingId = ""] = parts;
  const address = formatPciAddress(Number.parseInt(domain, 16), Number.parseInt(routingId, 16));
  return name.slice(2) === idOf(address) ? address : undefined;
}

const ownName = new RegExp(`^(?:${ownPrefixes.join("|")})([0-9a-f]{1,8})([0-9a-f]{4})$`);

function idOf(address: PciAddress): string {
  return `${pciDomain(address).toString(16)}${pciRoutingId(address).toString(16).padStart(4, "0")}`;
}
