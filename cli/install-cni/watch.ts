// Looks again when a folder changes, and now and then all the same.

import type { FileChange } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { checkMountedFolders } from "../../host/mounted-folders.ts";
import { targetOfTemporary } from "../../host/replace-file.ts";

/** The net below inotify, whose events can be lost. */
const pollMs = 30_000;
/** Programs write a configuration in several steps; half of one is an error that nobody needs to read about. */
const settleMs = 200;

/**
 * Calls `look` now, after each change in one of `folders`, and every 30 s, until it returns true or `signal` is aborted. A folder may be
 * missing, come later, and be made anew. Throws ERR_FOLDER_REMOVED for one that only a mount still holds.
 */
export async function lookUntil(
  host: Pick<Host, "files" | "clock">,
  folders: readonly string[],
  signal: AbortSignal,
  look: () => boolean,
): Promise<void> {
  while (!signal.aborted) {
    const pause = new AbortController();
    // Anew for each look: a watch stays with a folder that was removed.
    using _watches = watchAll(host, folders, () => pause.abort());
    if (look()) return;
    await sleepUnless(host, pollMs, AbortSignal.any([signal, pause.signal]));
    if (pause.signal.aborted) await sleepUnless(host, settleMs, signal);
  }
}

function watchAll(
  { files }: Pick<Host, "files">,
  folders: readonly string[],
  onChange: () => void,
): Disposable {
  using watches = new DisposableStack();
  checkMountedFolders(files, folders);
  // A write of ours that fails leaves nothing but these: looked at again, it would fail again, without end and without a rest.
  const onEvent = ({ name }: FileChange): void => {
    if (targetOfTemporary(name) === undefined) onChange();
  };
  for (const folder of folders)
    if (files.stat(folder) !== undefined) watches.use(files.watch(folder, onEvent));
  return watches.move();
}

async function sleepUnless(host: Pick<Host, "clock">, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await host.clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
