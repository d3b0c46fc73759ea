// Netlink messages: the header in front of each, and the kernel's answers of success or failure.

import { nameErrno } from "../errno.ts";
import { NetlinkError } from "../errors.ts";
import { concatBytes, indexAttributes, pad, viewOf } from "./codec.ts";
import { decodeString } from "./values.ts";

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_EXCL = 0x200;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CREATE = 0x400;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** What a verb asks: `body` is the family's fixed header and the attributes behind it. NLM_F_REQUEST is always set. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** How the kernel answered: errno 0 is success. */
export interface NetlinkStatus {
  readonly errno: number;
  readonly extAck: string | undefined;
}

const headerBytes = 16;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/** struct nlmsghdr and the body; the kernel fills in the sender's port. */
export function encodeMessage(request: NetlinkRequest, sequence: number): Uint8Array {
  const header = new Uint8Array(headerBytes);
  const view = viewOf(header);
  view.setUint32(0, headerBytes + request.body.length, true);
  view.setUint16(4, request.type, true);
  view.setUint16(6, request.flags | NLM_F_REQUEST, true);
  view.setUint32(8, sequence, true);
  return concatBytes([header, request.body]);
}

/** The messages in one received datagram. Throws NetlinkError EBADMSG when one is cut short. */
export function decodeMessages(datagram: Uint8Array): readonly NetlinkMessage[] {
  const view = viewOf(datagram);
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset < datagram.length;) {
    const length = offset + headerBytes <= datagram.length ? view.getUint32(offset, true) : 0;
    if (length < headerBytes || offset + length > datagram.length) {
      throw new NetlinkError(
        `reading message at byte ${offset} of ${datagram.length}, length ${length}`,
        "EBADMSG",
      );
    }
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      body: datagram.subarray(offset + headerBytes, offset + length),
    });
    offset += pad(length);
  }
  return messages;
}

/**
 * What NLMSG_ERROR and NLMSG_DONE say. Behind the number of an error follow the request (only its header when
 * NLM_F_CAPPED) and, with NLM_F_ACK_TLVS, the attributes of the extended acknowledgement. Source: struct nlmsgerr.
 */
export function decodeStatus({ type, flags, body }: NetlinkMessage): NetlinkStatus {
  if (body.length < 4) return { errno: 0, extAck: undefined };
  const view = viewOf(body);
  const errno = Math.abs(view.getInt32(0, true));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, extAck: undefined };
  const requestBytes =
    (flags & NLM_F_CAPPED) === 0 && body.length >= 8 ? view.getUint32(4, true) : headerBytes;
  const attributes = indexAttributes(body.subarray(type === NLMSG_DONE ? 4 : 4 + pad(requestBytes)));
  const text = attributes.get(NLMSGERR_ATTR_MSG);
  return { errno, extAck: text === undefined ? undefined : decodeString(text) };
}

/** Throws the NetlinkError of a failed request; `doing` says what was being done, on what. */
export function throwOnFailure(doing: string, { errno, extAck }: NetlinkStatus): void {
  if (errno !== 0) throw new NetlinkError(doing, nameErrno(errno), extAck);
}
