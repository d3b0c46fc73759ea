// Link and address events of one namespace, read from a non-blocking socket by the event loop.

import * as fs from "node:fs";

import type { Libc } from "../libc.ts";
import { decodeLink, RTM_DELLINK, RTM_NEWLINK } from "./link.ts";
import { decodeMessages, type NetlinkMessage } from "./message.ts";
import type { NetlinkEvent } from "./netlink.ts";
import { openRouteSocket } from "./socket.ts";

const RTMGRP_LINK = 0x1;
const RTMGRP_IPV4_IFADDR = 0x10;
const RTMGRP_IPV6_IFADDR = 0x100;
const AF_UNSPEC = 0;

/** A socket for events of the calling thread's network namespace. */
export function openEventSocket(libc: Libc): number {
  return openRouteSocket(libc, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

/**
 * Calls `onEvent` for each event on the socket `fd`, which it owns, until disposed. Events that were lost (ENOBUFS: more
 * came than was read) are one `overrun`, and reading goes on.
 */
export function readEvents(fd: number, onEvent: (event: NetlinkEvent) => void): Disposable {
  const ending = new AbortController();
  void deliver(fd, ending.signal, onEvent).finally(() => fs.closeSync(fd));
  return { [Symbol.dispose]: () => ending.abort() };
}

async function deliver(
  fd: number,
  ending: AbortSignal,
  onEvent: (event: NetlinkEvent) => void,
): Promise<void> {
  for await (const event of generateEvents(fd, ending)) {
    if (ending.aborted) return;
    onEvent(event);
  }
}

async function* generateEvents(fd: number, ending: AbortSignal): AsyncGenerator<NetlinkEvent> {
  while (!ending.aborted) {
    using reader = openReader(fd, ending);
    try {
      for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read()) {
        yield* decodeEvents(bytes);
      }
    } catch (error) {
      if (!isOverrun(error)) throw error;
      yield { event: "overrun" };
    }
  }
}

/** Reads until the stream ends, or `ending` is aborted. The descriptor stays open. */
function openReader(
  fd: number,
  ending: AbortSignal,
): Disposable & { read(): Promise<Uint8Array | undefined> } {
  const reader = Bun.file(fd).stream().getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  ending.addEventListener("abort", cancel);
  return {
    read: async () => (await reader.read()).value,
    [Symbol.dispose]: () => ending.removeEventListener("abort", cancel),
  };
}

function isOverrun(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOBUFS";
}

/** The events in what one read gave: several datagrams, of which the last may be cut. */
export function decodeEvents(bytes: Uint8Array): readonly NetlinkEvent[] {
  try {
    return decodeMessages(bytes).flatMap(decodeEvent);
  } catch {
    return [{ event: "overrun" }];
  }
}

function decodeEvent({ type, body }: NetlinkMessage): readonly NetlinkEvent[] {
  if (type !== RTM_NEWLINK && type !== RTM_DELLINK) return [{ event: "address" }];
  // A bridge tells of its ports in messages of its own family: they are not about the link.
  const link = body[0] === AF_UNSPEC ? decodeLink(body) : undefined;
  if (link === undefined) return [];
  return type === RTM_NEWLINK
    ? [{ event: "link", link }]
    : [{ event: "linkGone", index: link.index, name: link.name }];
}
