// Generic netlink: families by name, each with commands of its own. Source: Documentation/userspace-api/netlink/intro.rst.

import { NetlinkError } from "../errors.ts";
import {
  concatBytes,
  encodeAttributes,
  indexAttributes,
  viewOf,
  type Attribute,
  type Attributes,
} from "./codec.ts";
import type { NetlinkRequest } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";
import { encodeString } from "./values.ts";

const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
/** struct genlmsghdr: command, version, two bytes of nothing. */
const headerBytes = 4;
const version = 1;

/** The number under which the kernel knows the family now. Throws NetlinkError ENOENT where it has none of that name. */
export function findFamily(socket: Pick<NetlinkSocket, "get">, name: string): number {
  const doing = `find the netlink family ${name}`;
  const asked = [{ type: CTRL_ATTR_FAMILY_NAME, value: encodeString(name) }];
  const answer = socket.get(doing, genericRequest(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, asked));
  const id = decodeGeneric(answer).get(CTRL_ATTR_FAMILY_ID);
  if (id === undefined || id.length < 2) throw new NetlinkError(doing, "EBADMSG");
  return viewOf(id).getUint16(0, true);
}

/** A request to the family with number `family`. */
export function genericRequest(
  family: number,
  command: number,
  attributes: readonly Attribute[],
): NetlinkRequest {
  const header = Uint8Array.from([command, version, 0, 0]);
  return { type: family, flags: 0, body: concatBytes([header, encodeAttributes(attributes)]) };
}

/** The attributes of an answer by type; of several of one type the last. */
export function decodeGeneric(body: Uint8Array): Attributes {
  return indexAttributes(genericBody(body));
}

/** The bytes of an answer's attributes. */
export function genericBody(body: Uint8Array): Uint8Array {
  return body.subarray(headerBytes);
}
