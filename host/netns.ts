// Network namespaces as handles: opened by path, pid or name, told apart by their cookie.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { absentAs } from "./file-errors.ts";
import type { Libc } from "./libc.ts";
import type { TrafficCounters } from "./netlink/netlink.ts";
import { readNetnsCounters } from "./netns-counters.ts";
import { enterNetns, openOwnNetns } from "./netns-enter.ts";
import { sendNetnsFrames } from "./netns-frames.ts";
import { writeNetnsSysctls } from "./netns-sysctl.ts";
import { openNetnsSysfs } from "./netns-sysfs.ts";

/** An open network namespace. `cookie` (SO_NETNS_COOKIE) is unique for the life of the kernel; inodes are reused at once. */
export interface NetnsHandle extends Disposable {
  /** How it was named when it was opened, for messages. */
  readonly label: string;
  readonly fd: number;
  readonly cookie: bigint;
}

/** sysfs as it looks inside a network namespace, without a mount point (fsopen/fsmount). Paths are relative to /sys. */
export interface NetnsSysfs extends Disposable {
  readText(path: string): string | undefined;
  writeText(path: string, text: string): void;
  list(path: string): readonly string[] | undefined;
}

export interface Namespaces {
  /** Opens the namespace at `path` (`/var/run/netns/x`, `/proc/1/ns/net`); `undefined` when the path is missing or is no namespace (any more). */
  open(path: string): NetnsHandle | undefined;
  /** The process's own namespace. */
  own(): NetnsHandle;
  openSysfs(netns: NetnsHandle): NetnsSysfs;
  /** What went through each link in there so far, by its name. */
  readCounters(netns: NetnsHandle): ReadonlyMap<string, TrafficCounters>;
  /** Writes values by their path below /proc/sys/net; what this kernel does not have is passed over. */
  writeSysctls(netns: NetnsHandle, values: Readonly<Record<string, string>>): void;
  /** Sends whole Ethernet frames out of the link `index`, which must be up. */
  sendFrames(netns: NetnsHandle, index: number, frames: readonly Uint8Array[]): void;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;

/** Real namespaces of this kernel. Handles need CAP_SYS_ADMIN, except that of the process's own. */
export function createNamespaces(libc: Libc): Namespaces {
  return {
    open: (path) => openNetns(libc, path),
    own: () => makeHandle("own", openOwnNetns(), () => readCookie(libc)),
    openSysfs: (netns) => openNetnsSysfs(libc, netns),
    readCounters: (netns) => readNetnsCounters(libc, netns),
    writeSysctls: (netns, values) => writeNetnsSysctls(libc, netns, values),
    sendFrames: (netns, index, frames) => sendNetnsFrames(libc, netns, index, frames),
  };
}

function openNetns(libc: Libc, path: string): NetnsHandle | undefined {
  const { O_RDONLY, O_NONBLOCK } = fs.constants;
  const fd = absentAs(undefined, "open", path, () => fs.openSync(path, O_RDONLY | O_NONBLOCK));
  if (fd === undefined) return undefined;
  try {
    return makeHandle(path, fd, () => enterNetns(libc, { label: path, fd }, () => readCookie(libc)));
  } catch (error) {
    // setns(2): EINVAL is a file that is no network namespace, such as what is left of a bind mount.
    if (error instanceof SystemCallError && error.call === "setns" && error.errno === "EINVAL")
      return undefined;
    throw error;
  }
}

function makeHandle(label: string, fd: number, cookieOf: () => bigint): NetnsHandle {
  let isOpen = true;
  function close(): void {
    if (isOpen) fs.closeSync(fd);
    isOpen = false;
  }
  try {
    return { label, fd, cookie: cookieOf(), [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Of the calling thread's namespace: that of a socket made in it. Source: net/core/sock.c, SO_NETNS_COOKIE, since Linux 5.14. */
function readCookie(libc: Libc): bigint {
  const socket = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, 0);
  try {
    const cookie = new BigUint64Array(1);
    libc.getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, new Uint8Array(cookie.buffer));
    return cookie[0] ?? 0n;
  } finally {
    fs.closeSync(socket);
  }
}
