// Watches a folder without inotify, by looking again and again.

import * as fs from "node:fs";
import { join } from "node:path";

import type { FileChange } from "./files.ts";

const pollMs = 1_000;

/** Calls `onChange` for each entry that came, went or changed since the look before, once a second until disposed. */
export function pollFolder(path: string, onChange: (change: FileChange) => void): Disposable {
  let before = readStates(path);
  const timer = setInterval(() => {
    const now = readStates(path);
    const names = new Set([...before.keys(), ...now.keys()]);
    const changed = [...names].filter((name) => before.get(name) !== now.get(name));
    before = now;
    for (const name of changed) onChange({ name });
  }, pollMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** What tells one state of an entry from another; a folder that cannot be read has no entries. */
function readStates(path: string): ReadonlyMap<string, string> {
  try {
    return new Map(fs.readdirSync(path).map((name) => [name, readState(join(path, name))]));
  } catch {
    return new Map();
  }
}

function readState(path: string): string {
  const stat = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "gone" : `${stat.ino} ${stat.size} ${stat.ctimeNs}`;
}
