// The plain values inside netlink attributes, in host byte order (little-endian on every machine we build for).

import { NetlinkError } from "../errors.ts";
import { concatBytes, viewOf } from "./codec.ts";

/** One u32, four bytes. */
export function encodeU32(value: number): Uint8Array {
  return encodeU32s(value);
}

/** Several u32 behind each other, as the fixed structs of rtnetlink have them. */
export function encodeU32s(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = viewOf(bytes);
  for (const [position, value] of values.entries()) view.setUint32(4 * position, value, true);
  return bytes;
}

/** The u32 at `offset`; throws NetlinkError EBADMSG when the bytes end before it does. */
export function decodeU32(bytes: Uint8Array, offset = 0): number {
  if (offset + 4 > bytes.length)
    throw new NetlinkError(`reading 4 bytes at ${offset} of ${bytes.length}`, "EBADMSG");
  return viewOf(bytes).getUint32(offset, true);
}

/** The u64 that the bytes begin with, exact up to 2^53; throws NetlinkError EBADMSG when they are fewer. */
export function decodeU64(bytes: Uint8Array): number {
  if (bytes.length < 8) throw new NetlinkError(`reading 8 bytes of ${bytes.length}`, "EBADMSG");
  return Number(viewOf(bytes).getBigUint64(0, true));
}

/** A string with its terminating zero; of what `decodeString` gave the bytes that it was. */
export function encodeString(text: string): Uint8Array {
  const whole = `${text}\0`;
  return whole.isWellFormed() ? new TextEncoder().encode(whole) : encodeEscaped(whole);
}

/**
 * A string up to its first zero byte, or the end. Names are any bytes, and pods choose theirs: where they are no UTF-8, each byte of
 * more than 7 bits is a lone surrogate (0xff is U+DCFF), so that the name can still be told to the kernel.
 */
export function decodeString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const own = end === -1 ? bytes : bytes.subarray(0, end);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(own);
  return text.includes("\ufffd") ? decodeEscaped(own) : text;
}

/** Six bytes of "02:00:00:00:00:01". Throws NetlinkError EINVAL for other text. */
export function encodeMac(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac))
    throw new NetlinkError(`reading MAC address "${mac}"`, "EINVAL");
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16));
}

/** Lower-case, colon-separated; any length, empty for no bytes. */
export function decodeMac(bytes: Uint8Array): string {
  return bytes.toHex().match(/../g)?.join(":") ?? "";
}

const firstEscape = 0xdc80;
const lastEscape = 0xdcff;

function decodeEscaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    String.fromCharCode(byte < 0x80 ? byte : firstEscape - 0x80 + byte),
  ).join("");
}

function encodeEscaped(text: string): Uint8Array {
  const encoder = new TextEncoder();
  return concatBytes(
    Array.from(text, (character) => {
      const code = character.codePointAt(0) ?? 0;
      const isEscape = code >= firstEscape && code <= lastEscape;
      return isEscape ? Uint8Array.of(code - firstEscape + 0x80) : encoder.encode(character);
    }),
  );
}
