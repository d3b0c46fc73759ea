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

/** Attributes by type; a value is cut out of the message when it is asked for. */
export interface Attributes {
  get(type: number): Uint8Array | undefined;
  has(type: number): boolean;
}

/** The attributes in `bytes`, in order. Throws NetlinkError EBADMSG when a length does not fit. */
export function decodeAttributes(bytes: Uint8Array): readonly RawAttribute[] {
  const found: RawAttribute[] = [];
  visitAttributes(bytes, (type, start, end) => {
    found.push({ type, value: bytes.subarray(start, end) });
    return false;
  });
  return found;
}

/** The first attribute of `type` in `bytes`; what stands behind it is not looked at. Throws as `decodeAttributes`. */
export function findAttribute(bytes: Uint8Array, type: number): Uint8Array | undefined {
  let value: Uint8Array | undefined;
  visitAttributes(bytes, (current, start, end) => {
    if (current !== type) return false;
    value = bytes.subarray(start, end);
    return true;
  });
  return value;
}

/** The attributes in `bytes` by type; of several of one type the last. Throws as `decodeAttributes`. */
export function indexAttributes(bytes: Uint8Array): Attributes {
  const starts = new Map<number, number>();
  visitAttributes(bytes, (type, start) => {
    starts.set(type, start);
    return false;
  });
  return {
    has: (type) => starts.has(type),
    get: (type) => {
      const start = starts.get(type);
      if (start === undefined) return undefined;
      return bytes.subarray(start, start - headerBytes + readU16(bytes, start - headerBytes));
    },
  };
}

// Plain loops: a link has 50 attributes, and each call of the CNI decodes a dozen links in the interpreter.
function visitAttributes(
  bytes: Uint8Array,
  visit: (type: number, start: number, end: number) => boolean,
): void {
  let offset = 0;
  while (offset + headerBytes <= bytes.length) {
    const length = readU16(bytes, offset);
    if (length < headerBytes || offset + length > bytes.length) {
      throw new NetlinkError(
        `reading attribute at byte ${offset} of ${bytes.length}, length ${length}`,
        "EBADMSG",
      );
    }
    const type = readU16(bytes, offset + 2) & typeMask;
    if (visit(type, offset + headerBytes, offset + length)) return;
    offset += pad(length);
  }
}

function readU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8);
}

/** `length` rounded up to the alignment of messages and attributes. */
export function pad(length: number): number {
  return (length + 3) & ~3;
}

/** `parts` behind each other, copied. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
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
