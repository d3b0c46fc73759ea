// Ethernet frames sent out of one link of another network namespace.

import * as fs from "node:fs";

import type { Libc } from "./libc.ts";
import { viewOf } from "./netlink/codec.ts";
import { enterNetns } from "./netns-enter.ts";

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const sockaddrBytes = 20;

/**
 * Sends `frames`, each a whole frame without checksum, out of the link `index` of `netns`. The socket receives nothing
 * (protocol 0). Throws SystemCallError: ENODEV without such a link, ENETDOWN when it is down, ENOBUFS without carrier.
 */
export function sendNetnsFrames(
  libc: Libc,
  netns: { readonly label: string; readonly fd: number },
  index: number,
  frames: readonly Uint8Array[],
): void {
  const socket = enterNetns(libc, netns, () => libc.socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0));
  try {
    libc.bind(socket, encodeLinkAddress(index));
    for (const frame of frames) libc.send(socket, frame);
  } catch (error) {
    fs.closeSync(socket);
    throw error;
  }
  libc.closeInBackground(socket);
}

/** struct sockaddr_ll (include/uapi/linux/if_packet.h): family, protocol, ifindex, and what only a receiver fills in. */
function encodeLinkAddress(index: number): Uint8Array {
  const address = new Uint8Array(sockaddrBytes);
  const view = viewOf(address);
  view.setUint16(0, AF_PACKET, true);
  view.setInt32(4, index, true);
  return address;
}
