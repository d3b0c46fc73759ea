// Reads a multicast netlink socket by the event loop, and starts over with a new one when messages were lost.

import * as fs from "node:fs";
import { setTimeout } from "node:timers/promises";

import { HostError } from "../errors.ts";

/** A source of events: what to read and how. */
export interface Multicast<T> {
  /** Opens and binds a non-blocking socket; at once, and again after each overrun. */
  readonly open: () => number;
  /** The events in what one read gave: one datagram or several. */
  readonly decode: (bytes: Uint8Array) => readonly T[];
  /** The event that says that some were lost. */
  readonly overrun: T;
}

/**
 * Calls `onEvent` until disposed. The kernel says ENOBUFS only once and then drops everything until the queue was emptied,
 * so an overrun is told when a new socket is there, which misses nothing from then on: whoever looks again sees all. So it is
 * with a socket that breaks; one that cannot be opened then is tried again every `retryMs`. Throws what the first `open` throws.
 */
export function receiveMulticast<T>(
  source: Multicast<T>,
  onEvent: (event: T) => void,
  retryMs = 1_000,
): Disposable {
  const ending = new AbortController();
  void deliver(source, source.open(), onEvent, { signal: ending.signal, retryMs });
  return { [Symbol.dispose]: () => ending.abort() };
}

interface Delivery {
  readonly signal: AbortSignal;
  readonly retryMs: number;
}

async function deliver<T>(
  source: Multicast<T>,
  first: number,
  onEvent: (event: T) => void,
  delivery: Delivery,
): Promise<void> {
  let fd = first;
  try {
    for (;;) {
      const end = await readToEnd(source, fd, delivery.signal, onEvent);
      if (end === "broken") await pause(delivery);
      const next = end === "ended" ? undefined : await reopen(source, delivery);
      if (next === undefined) return;
      fs.closeSync(fd);
      fd = next;
      onEvent(source.overrun);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** `undefined` when the subscription ended before a socket could be opened. */
async function reopen<T>(source: Multicast<T>, delivery: Delivery): Promise<number | undefined> {
  while (!delivery.signal.aborted) {
    try {
      return source.open();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      await pause(delivery);
    }
  }
  return undefined;
}

async function pause({ signal, retryMs }: Delivery): Promise<void> {
  await setTimeout(retryMs, undefined, { signal }).catch(() => {});
}

async function readToEnd<T>(
  source: Multicast<T>,
  fd: number,
  ending: AbortSignal,
  onEvent: (event: T) => void,
): Promise<"overrun" | "broken" | "ended"> {
  using reader = openReader(fd, ending);
  for (;;) {
    const received = await reader.read();
    if (ending.aborted) return "ended";
    if (!(received instanceof Uint8Array)) return received;
    for (const event of source.decode(received)) {
      if (ending.aborted) return "ended";
      onEvent(event);
    }
  }
}

/** Reads until `ending` is aborted. Bun's stream leaves the descriptor open. */
function openReader(
  fd: number,
  ending: AbortSignal,
): Disposable & { read(): Promise<Uint8Array | "overrun" | "broken"> } {
  const reader = Bun.file(fd).stream().getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  ending.addEventListener("abort", cancel);
  if (ending.aborted) cancel();
  return {
    read: async () => {
      try {
        return (await reader.read()).value ?? "broken";
      } catch (error) {
        const isOverrun = error instanceof Error && "code" in error && error.code === "ENOBUFS";
        return isOverrun ? "overrun" : "broken";
      }
    },
    [Symbol.dispose]: () => ending.removeEventListener("abort", cancel),
  };
}
