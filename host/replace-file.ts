// Puts a whole file in another's place, so that readers see the old content or the new one, never a part.

import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

import { attempt } from "./file-errors.ts";

/** A temporary file this old was left by a writer that was killed: none is at work for so long. */
const leftoverMs = 600_000;
const temporaryName = /^\.(?<target>.+?)(?:\.(?<mark>[0-9a-f]{16}r?))?\.\d+\.[0-9a-f]{8}\.tmp$/;

export interface ReplaceOptions {
  /** On the disk when it returns (fsync). */
  readonly isDurable?: boolean;
  /** How the temporary file, which is gone then, takes the place; by rename, unless given. */
  readonly place?: (temporary: string) => void;
}

/**
 * `write` makes the file it is given the name of, in the folder of `path` (made when missing, 0700); that file then takes
 * the place of `path`, or is removed when anything fails; with `isDurable` it is on the disk then (fsync). The temporary name
 * starts with a dot and ends in `.tmp`; what killed writers of the same file left is removed.
 */
export function replaceFile(
  path: string,
  write: (temporary: string) => void,
  { isDurable = false, place = (temporary) => fs.renameSync(temporary, path) }: ReplaceOptions = {},
): void {
  const folder = dirname(path);
  const unique = `${process.pid}.${crypto.randomUUID().slice(0, 8)}`;
  const temporary = join(folder, `.${basename(path)}.${unique}.tmp`);
  attempt("mkdir", folder, () => void fs.mkdirSync(folder, { recursive: true, mode: 0o700 }));
  removeLeftovers(folder, basename(path));
  try {
    attempt("write", temporary, () => write(temporary));
    if (isDurable) attempt("fsync", temporary, () => flush(temporary));
    attempt("rename", `${temporary}, ${path}`, () => place(temporary));
    if (isDurable) attempt("fsync", folder, () => flush(folder));
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

/** Name of the file that the entry `name` of a folder was to take the place of; `undefined` for anything else than a temporary file. */
export function targetOfTemporary(name: string): string | undefined {
  return readTemporaryName(name).target;
}

/** The path of a temporary file with a mark of 16 hexadecimal digits, and an `r` or not, for whoever finds it. */
export function markTemporary(path: string, mark: string): string {
  return path.replace(/(?=\.\d+\.[0-9a-f]{8}\.tmp$)/, `.${mark}`);
}

/** The target with the mark that its writer gave it. */
export function readTemporaryName(name: string): {
  readonly target: string | undefined;
  readonly mark: string | undefined;
} {
  const { target, mark } = temporaryName.exec(name)?.groups ?? {};
  return { target, mark };
}

function removeLeftovers(folder: string, name: string): void {
  try {
    for (const entry of fs.readdirSync(folder)) {
      if (!entry.startsWith(`.${name}.`) || targetOfTemporary(entry) !== name) continue;
      const path = join(folder, entry);
      if (fs.lstatSync(path).mtimeMs < Date.now() - leftoverMs) removeQuietly(path);
    }
  } catch {
    // The folder cannot be read, or another writer was faster: what is written now does not depend on it.
  }
}

function flush(path: string): void {
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** A read-only folder refuses this too, even of a file that is not there: the first error is the one that tells. */
function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // Left where it is.
  }
}
