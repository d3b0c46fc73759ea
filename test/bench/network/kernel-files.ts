// Files and folders of /sys and /proc that may be missing.

import { readdirSync, readFileSync } from "node:fs";

/** Its text, trimmed; empty where it is missing, or can't be read, as of a link that is down. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

/** Its bytes; none where it is missing or can't be read. */
export function readBytesIfThere(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    return new Uint8Array();
  }
}

/** Names in the folder, sorted; none where it is missing. */
export function listIfThere(path: string): readonly string[] {
  try {
    return readdirSync(path).toSorted();
  } catch {
    return [];
  }
}
