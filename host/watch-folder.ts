// Tells what changes in a folder, by inotify.

import * as fs from "node:fs";

import { attempt } from "./file-errors.ts";
import type { FileChange } from "./files.ts";

/**
 * Calls `onChange` for each change below the folder until disposed; throws SystemCallError when there is no such folder. Bun
 * drops an event that equals the one before it within 1 ms, also when that one was delivered already (measured with 1.4.5):
 * so a name is told once more when it has been quiet, and the last state of the file is always seen.
 */
export function watchFolder(path: string, onChange: (change: FileChange) => void): Disposable {
  const pending = new Map<string, NodeJS.Timeout>();
  const tell = (name: string): void => {
    clearTimeout(pending.get(name));
    pending.set(
      name,
      setTimeout(() => {
        pending.delete(name);
        onChange({ name });
      }, 5),
    );
    onChange({ name });
  };
  const watcher = attempt("inotify_add_watch", path, () =>
    fs.watch(path, (_event, name) => tell(name ?? "")),
  );
  // An error later on (the folder is gone) is a change like any other: the caller looks again and sees it.
  watcher.on("error", () => tell(""));
  return {
    [Symbol.dispose]: () => {
      watcher.close();
      for (const timer of pending.values()) clearTimeout(timer);
    },
  };
}
