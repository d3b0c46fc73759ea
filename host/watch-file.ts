// Tells when one file comes, goes or changes, wherever its folder is: missing at first, or made anew.

import { basename, dirname } from "node:path";

import { HostError } from "./errors.ts";
import type { Host } from "./host.ts";

interface Watched {
  readonly folder: string;
  readonly watch: Disposable | undefined;
}

/**
 * Calls `onChange` when the file may be another one than before, until disposed. As long as its folder is missing, the nearest one
 * above it that is there is watched. What cannot be watched, as without permission, is not told.
 */
export function watchFile({ files }: Pick<Host, "files">, path: string, onChange: () => void): Disposable {
  const folder = dirname(path);
  let watched: Watched | undefined;
  /** Watches the folder that is to be watched now. */
  function follow(): void {
    // Again after each watch: the next folder may have come before it.
    for (;;) {
      const nearest = findNearest(files, folder);
      if (nearest === watched?.folder) return;
      release();
      watched = { folder: nearest, watch: tryWatch(files, nearest, onEvent) };
    }
  }
  function onEvent(name: string): void {
    const before = watched;
    // The folder itself: a watch stays with one that was removed.
    if (before !== undefined && ["", basename(before.folder)].includes(name)) release();
    follow();
    const isNews = watched !== before || name === basename(path);
    if (isNews && [before?.folder, watched?.folder].includes(folder)) onChange();
  }
  function release(): void {
    watched?.watch?.[Symbol.dispose]();
    watched = undefined;
  }
  follow();
  return { [Symbol.dispose]: release };
}

function findNearest(files: Host["files"], folder: string): string {
  const above = dirname(folder);
  return above === folder || isFolder(files, folder) ? folder : findNearest(files, above);
}

function isFolder(files: Host["files"], path: string): boolean {
  try {
    return files.stat(path)?.kind === "directory";
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

function tryWatch(
  files: Host["files"],
  folder: string,
  onEvent: (name: string) => void,
): Disposable | undefined {
  try {
    return files.watch(folder, ({ name }) => onEvent(name));
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
