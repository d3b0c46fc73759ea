// Tells what changes in a folder: by inotify, or where the node has none left by looking.

import * as fs from "node:fs";

import { absentAs } from "./file-errors.ts";
import type { FileChange } from "./files.ts";
import { pollFolder } from "./poll-folder.ts";

/** inotify(7): the user's instances, or watches, are used up, as other programs of a busy node use them up. */
const usedUp = ["EMFILE", "ENOSPC"];

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
  const watcher = absentAs(
    undefined,
    "inotify_add_watch",
    path,
    () => fs.watch(path, (_event, name) => tell(name ?? "")),
    usedUp,
  );
  if (watcher === undefined) return pollFolder(path, onChange);
  // An error later on (the folder is gone) is a change like any other: the caller looks again and sees it.
  watcher.on("error", () => tell(""));
  return {
    [Symbol.dispose]: () => {
      watcher.close();
      for (const timer of pending.values()) clearTimeout(timer);
    },
  };
}
