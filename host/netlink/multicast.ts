// Reads a multicast netlink socket by the event loop, and starts over with a new one when messages were lost.

import * as fs from "node:fs";

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
 * so an overrun is told when a new socket is there, which misses nothing from then on: whoever looks again sees all.
 */
export function receiveMulticast<T>(source: Multicast<T>, onEvent: (event: T) => void): Disposable {
  const ending = new AbortController();
  void deliver(source, source.open(), ending.signal, onEvent);
  return { [Symbol.dispose]: () => ending.abort() };
}

async function deliver<T>(
  source: Multicast<T>,
  first: number,
  ending: AbortSignal,
  onEvent: (event: T) => void,
): Promise<void> {
  let fd = first;
  try {
    while ((await readToOverrun(source, fd, ending, onEvent)) === "overrun") {
      const next = source.open();
      fs.closeSync(fd);
      fd = next;
      onEvent(source.overrun);
    }
  } finally {
    fs.closeSync(fd);
  }
}

async function readToOverrun<T>(
  source: Multicast<T>,
  fd: number,
  ending: AbortSignal,
  onEvent: (event: T) => void,
): Promise<"overrun" | "ended"> {
  using reader = openReader(fd, ending);
  for (;;) {
    const received = await reader.read();
    if (ending.aborted || received === undefined) return "ended";
    if (received === "overrun") return "overrun";
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
): Disposable & { read(): Promise<Uint8Array | "overrun" | undefined> } {
  const reader = Bun.file(fd).stream().getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  ending.addEventListener("abort", cancel);
  if (ending.aborted) cancel();
  return {
    read: async () => {
      try {
        return (await reader.read()).value;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOBUFS") return "overrun";
        throw error;
      }
    },
    [Symbol.dispose]: () => ending.removeEventListener("abort", cancel),
  };
}
