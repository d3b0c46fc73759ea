// Netlink attributes: trees of type, length, value, padded to four bytes. Source: Documentation/userspace-api/netlink/intro.rst.

import { NetlinkError } from "../errors.ts";

/** An attribute to write: raw bytes, or the attributes nested in it. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | readonly Attribute[];
}

/** An attribute that was read; flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER) are cut off its type. */
export interface RawAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

const headerBytes = 4;
const typeMask = 0x3fff;

/** The bytes of `attributes`, one behind the other, each padded to four. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array {
  return concatBytes(attributes.map(encodeAttribute));
}

/** The attributes in `bytes`, in order. Throws NetlinkError EBADMSG when a length does not fit. */
export function decodeAttributes(bytes: Uint8Array): readonly RawAttribute[] {
  return [...walkAttributes(bytes)];
}

/** The first attribute of `type` in `bytes`; what stands behind it is not looked at. Throws as `decodeAttributes`. */
export function findAttribute(bytes: Uint8Array, type: number): Uint8Array | undefined {
  for (const attribute of walkAttributes(bytes)) if (attribute.type === type) return attribute.value;
  return undefined;
}

function* walkAttributes(bytes: Uint8Array): Generator<RawAttribute> {
  const view = viewOf(bytes);
  let offset = 0;
  while (offset + headerBytes <= bytes.length) {
    const length = view.getUint16(offset, true);
    if (length < headerBytes || offset + length > bytes.length) {
      throw new NetlinkError(
        `reading attribute at byte ${offset} of ${bytes.length}, length ${length}`,
        "EBADMSG",
      );
    }
    const type = view.getUint16(offset + 2, true) & typeMask;
    yield { type, value: bytes.subarray(offset + headerBytes, offset + length) };
    offset += pad(length);
  }
}

/** The attributes in `bytes` by type; of several of one type the last. */
export function indexAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return new Map(decodeAttributes(bytes).map(({ type, value }) => [type, value]));
}

/** `length` rounded up to the alignment of messages and attributes. */
export function pad(length: number): number {
  return (length + 3) & ~3;
}

/** `parts` behind each other, copied. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The same bytes as numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeAttribute({ type, value }: Attribute): Uint8Array {
  const payload = value instanceof Uint8Array ? value : encodeAttributes(value);
  const length = headerBytes + payload.length;
  if (length > 0xffff) throw new NetlinkError(`writing attribute ${type} of ${length} bytes`, "EMSGSIZE");
  const bytes = new Uint8Array(pad(length));
  const view = viewOf(bytes);
  view.setUint16(0, length, true);
  view.setUint16(2, type, true);
  bytes.set(payload, headerBytes);
  return bytes;
}
