// Addresses of links: requests, and RTM_NEWADDR as an `InterfaceAddress`.

import { concatBytes, encodeAttributes, indexAttributes, viewOf, type Attribute } from "./codec.ts";
import { addressFamily, decodeIp, encodeIp, familyOf } from "./ip-address.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type NetlinkRequest } from "./message.ts";
import type { InterfaceAddress, NewAddress } from "./netlink.ts";
import { decodeScope } from "./scope.ts";
import { decodeU32, encodeU32 } from "./values.ts";

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_OPTIMISTIC = 0x04;
const IFA_F_TENTATIVE = 0x40;
const ifaddrmsgBytes = 8;

/** An address to add or remove; on a link without a peer, so that local and peer address are the same. */
export type AddressChange = Pick<InterfaceAddress, "family" | "address" | "prefixLength">;

/** Asks for all addresses, or those of one link. */
export function listAddressesRequest(index = 0): NetlinkRequest {
  return { type: RTM_GETADDR, flags: 0, body: encodeBody(index, 0, 0) };
}

/** Throws NetlinkError EINVAL for an address that is none. */
export function addAddressRequest(index: number, address: NewAddress): NetlinkRequest {
  const flags =
    address.isOptimistic === true ? [{ type: IFA_FLAGS, value: encodeU32(IFA_F_OPTIMISTIC) }] : [];
  return { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, body: encodeAddress(index, address, flags) };
}

/** Throws NetlinkError EINVAL for an address that is none. */
export function removeAddressRequest(index: number, address: AddressChange): NetlinkRequest {
  return { type: RTM_DELADDR, flags: 0, body: encodeAddress(index, address) };
}

/** The address in the body of RTM_NEWADDR; `undefined` when it is neither IPv4 nor IPv6. */
export function decodeAddress(body: Uint8Array): InterfaceAddress | undefined {
  const [familyNumber = 0, prefixLength = 0, shortFlags = 0, scope = 0] = body;
  const family = familyOf(familyNumber);
  const attributes = indexAttributes(body.subarray(ifaddrmsgBytes));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (family === undefined || bytes === undefined) return undefined;
  const flags = attributes.get(IFA_FLAGS);
  return {
    index: decodeU32(body, 4),
    family,
    address: decodeIp(bytes),
    prefixLength,
    scope: decodeScope(scope),
    isTentative: ((flags === undefined ? shortFlags : decodeU32(flags)) & IFA_F_TENTATIVE) !== 0,
  };
}

function encodeAddress(
  index: number,
  { family, address, prefixLength }: AddressChange,
  flags: readonly Attribute[] = [],
): Uint8Array {
  const value = encodeIp(family, address);
  return encodeBody(index, addressFamily(family), prefixLength, [
    { type: IFA_LOCAL, value },
    { type: IFA_ADDRESS, value },
    ...flags,
  ]);
}

/** struct ifaddrmsg and attributes. */
function encodeBody(
  index: number,
  family: number,
  prefixLength: number,
  attributes: readonly Attribute[] = [],
): Uint8Array {
  const header = Uint8Array.of(family, prefixLength, 0, 0, 0, 0, 0, 0);
  viewOf(header).setUint32(4, index, true);
  return concatBytes([header, encodeAttributes(attributes)]);
}
