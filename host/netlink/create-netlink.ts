// The verbs of `Netlink` on a real socket: each builds its request, sends it and decodes the answer.

import { NetlinkError } from "../errors.ts";
import type { Libc } from "../libc.ts";
import {
  addAddressRequest,
  decodeAddress,
  listAddressesRequest,
  removeAddressRequest,
  type AddressChange,
} from "./address.ts";
import { decodeVfCounters, listVfCountersRequest } from "./counters.ts";
import { readEvents } from "./events.ts";
import {
  addAltNameRequest,
  deleteLinkRequest,
  describeLinkChange,
  moveLinkRequest,
  removeAltNameRequest,
  setLinkRequest,
} from "./link-change.ts";
import { decodeLink, getLinkRequest, listLinksRequest } from "./link.ts";
import type { LinkRef, Netlink, Route, TrafficCounters } from "./netlink.ts";
import { addRouteRequest, describeRoute, removeRouteRequest } from "./route-change.ts";
import { decodeRoutes, listRoutesRequest } from "./route.ts";
import { NetlinkSocket } from "./socket.ts";
import { describeVfChange, setVfRequest } from "./vf-change.ts";
import { decodeVfOfPf, decodeVfs, listVfsRequest } from "./vf.ts";

/**
 * `requestFd` is a route socket of the namespace, owned from here on; `openEvents` opens an event socket in the same
 * namespace, also later; `onDispose` ends what that needs.
 */
export function createNetlink(
  libc: Libc,
  requestFd: number,
  openEvents: () => number,
  onDispose: () => void = () => {},
): Netlink {
  const socket = new NetlinkSocket(libc, requestFd);
  let isOpen = true;
  // Once, however often it is asked to: the numbers may be other files' by then. (A DisposableStack costs an ADD 1 % of its time.)
  function dispose(): void {
    if (!isOpen) return;
    isOpen = false;
    try {
      socket[Symbol.dispose]();
    } finally {
      onDispose();
    }
  }
  return {
    listLinks: () => decodeAll(socket.dump("list links", listLinksRequest()), decodeLink),
    getLink: (ref) => map(findLink(socket, ref), decodeLink),
    setLink: (index, change) =>
      socket.change(describeLinkChange(index, change), setLinkRequest(index, change)),
    moveLink: (index, target, name) =>
      socket.change(
        `move link ${index} to ${target.label}${name === undefined ? "" : ` as ${name}`}`,
        moveLinkRequest(index, target.fd, name),
      ),
    addAltName: (index, altName) =>
      socket.change(`add altname ${altName} to link ${index}`, addAltNameRequest(index, altName)),
    removeAltName: (index, altName) =>
      socket.change(`remove altname ${altName} of link ${index}`, removeAltNameRequest(index, altName)),
    deleteLink: (index) => socket.change(`delete link ${index}`, deleteLinkRequest(index)),
    listVfs: (pfIndex) => decodeVfs(getVfs(socket, { index: pfIndex })),
    getVf: (pf, vf) =>
      map(
        exceptFor("ENODEV", () => getVfs(socket, pf)),
        (body) => decodeVfOfPf(body, vf),
      ),
    setVf: (pfIndex, vf, change) =>
      socket.change(describeVfChange(pfIndex, vf, change), setVfRequest(pfIndex, vf, change)),
    listVfCounters: (pf) => listVfCounters(socket, pf),
    listAddresses: (index) =>
      decodeAll(socket.dump("list addresses", listAddressesRequest(index)), decodeAddress).filter(
        (address) => index === undefined || address.index === index,
      ),
    addAddress: (index, address) =>
      socket.change(`add ${describeAddress(address)} to link ${index}`, addAddressRequest(index, address)),
    removeAddress: (index, address) =>
      socket.change(
        `remove ${describeAddress(address)} of link ${index}`,
        removeAddressRequest(index, address),
      ),
    listRoutes: (index) =>
      [...listRoutes(socket, 4), ...listRoutes(socket, 6)].filter(
        (route) => index === undefined || route.index === index,
      ),
    addRoute: (route) => socket.change(`add ${describeRoute(route)}`, addRouteRequest(route)),
    removeRoute: (route) => socket.change(`remove ${describeRoute(route)}`, removeRouteRequest(route)),
    subscribe: (onEvent) => readEvents(openEvents, onEvent),
    [Symbol.dispose]: dispose,
  };
}

function findLink(socket: NetlinkSocket, ref: LinkRef): Uint8Array | undefined {
  return exceptFor("ENODEV", () => socket.get(`get link ${nameRef(ref)}`, getLinkRequest(ref)));
}

function getVfs(socket: NetlinkSocket, pf: LinkRef): Uint8Array {
  return socket.get(`list VFs of link ${nameRef(pf)}`, listVfsRequest(pf));
}

function listVfCounters(
  socket: NetlinkSocket,
  pf: LinkRef,
): ReadonlyMap<number, TrafficCounters> | undefined {
  const body = exceptFor("EMSGSIZE", () =>
    socket.get(`count VFs of link ${nameRef(pf)}`, listVfCountersRequest(pf)),
  );
  return map(body, decodeVfCounters);
}

function nameRef(ref: LinkRef): string {
  return "index" in ref ? String(ref.index) : ref.name;
}

function exceptFor<T>(errno: string, ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === errno) return undefined;
    throw error;
  }
}

function map<T>(body: Uint8Array | undefined, decode: (body: Uint8Array) => T | undefined): T | undefined {
  return body === undefined ? undefined : decode(body);
}

/** Where IPv6 is off, the kernel answers with all families: those of the other one are passed over. */
function listRoutes(socket: NetlinkSocket, family: 4 | 6): readonly Route[] {
  const bodies = socket.dump(`list IPv${family} routes`, listRoutesRequest(family));
  return bodies.flatMap(decodeRoutes).filter((route) => route.family === family);
}

function decodeAll<T>(
  bodies: readonly Uint8Array[],
  decode: (body: Uint8Array) => T | undefined,
): readonly T[] {
  return bodies.map(decode).filter((item) => item !== undefined);
}

function describeAddress({ address, prefixLength }: AddressChange): string {
  return `address ${address}/${prefixLength}`;
}
