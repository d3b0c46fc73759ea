// Kernel uevents: devices that come, go, are bound to a driver or change. Needs no capability.
import * as fs from "node:fs";

import type { Libc } from "./libc.ts";
import { receiveMulticast } from "./netlink/multicast.ts";

export interface Uevent {
  /** "add", "remove", "change", "move", "bind", "unbind", "online", "offline". */
  readonly action: string;
  /** Below /sys: "/devices/pci0000:00/0000:00:04.0". */
  readonly devicePath: string;
  /** "pci", "net", ...; empty when the kernel names none. */
  readonly subsystem: string;
}

/** A uevent, or `overrun`: some were lost, look at everything again. */
export type UeventNotice =
  | { readonly event: "uevent"; readonly uevent: Uevent }
  | { readonly event: "overrun" };

export interface Uevents {
  /** Calls `onNotice` for each uevent that reaches this process's network namespace, until disposed. */
  subscribe(onNotice: (notice: UeventNotice) => void): Disposable;
}

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000;
const NETLINK_KOBJECT_UEVENT = 15;
/** Group 1 is the kernel's; group 2 is udev's. */
const kernelGroup = 1;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const receiveBufferBytes = 1024 * 1024;

/** Uevents over a netlink socket of their own (NETLINK_KOBJECT_UEVENT). */
export function createUevents(libc: Libc): Uevents {
  return {
    subscribe: (onNotice) =>
      receiveMulticast(
        { open: () => openUeventSocket(libc), decode: decodeNotices, overrun: { event: "overrun" } },
        onNotice,
      ),
  };
}

/**
 * The uevents in what one read gave, which may be several messages: each is "ACTION@DEVPATH" and KEY=VALUE lines, all
 * ended by NUL. Source: kernel lib/kobject_uevent.c.
 */
export function parseUevents(text: string): readonly Uevent[] {
  const uevents: { action: string; devicePath: string; subsystem: string }[] = [];
  for (const part of text.split("\0")) {
    const header = /^(?<action>[a-z]+)@(?<path>\/.*)$/u.exec(part)?.groups;
    if (header !== undefined) {
      uevents.push({ action: header["action"] ?? "", devicePath: header["path"] ?? "", subsystem: "" });
    }
    const last = uevents.at(-1);
    if (last !== undefined && part.startsWith("SUBSYSTEM=")) last.subsystem = part.slice("SUBSYSTEM=".length);
  }
  return uevents;
}

function decodeNotices(bytes: Uint8Array): readonly UeventNotice[] {
  return parseUevents(Buffer.from(bytes).toString()).map((uevent) => ({ event: "uevent", uevent }));
}

function openUeventSocket(libc: Libc): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  try {
    const address = new Uint8Array(12);
    address[0] = AF_NETLINK;
    address[8] = kernelGroup;
    libc.bind(fd, address);
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, new Uint8Array(new Uint32Array([receiveBufferBytes]).buffer));
    return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
