// Looks again when a folder changes, and now and then all the same.

import type { Host } from "../../host/host.ts";

/** The net below inotify, whose events can be lost. */
const pollMs = 30_000;
/** Programs write a configuration in several steps; half of one is an error that nobody needs to read about. */
const settleMs = 200;

/** Calls `look` now, after each change in one of `folders`, and every 30 s, until it returns true or `signal` is aborted. */
export async function lookUntil(
  host: Pick<Host, "files" | "clock">,
  folders: readonly string[],
  signal: AbortSignal,
  look: () => boolean,
): Promise<void> {
  let pause = new AbortController();
  using watches = new DisposableStack();
  for (const folder of folders) watches.use(host.files.watch(folder, () => pause.abort()));
  while (!signal.aborted) {
    pause = new AbortController();
    if (look()) return;
    await sleepUnless(host, pollMs, AbortSignal.any([signal, pause.signal]));
    if (pause.signal.aborted) await sleepUnless(host, settleMs, signal);
  }
}

async function sleepUnless(host: Pick<Host, "clock">, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await host.clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
