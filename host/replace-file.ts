// Puts a whole file in another's place, so that readers see the old content or the new one, never a part.

import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

import { attempt } from "./file-errors.ts";

/**
 * `write` makes the file it is given the name of, in the folder of `path` (made when missing, 0700); that file then takes
 * the place of `path`, or is removed when anything fails. No fsync. The temporary name starts with a dot and ends in `.tmp`.
 */
export function replaceFile(path: string, write: (temporary: string) => void): void {
  const folder = dirname(path);
  const unique = `${process.pid}.${crypto.randomUUID().slice(0, 8)}`;
  const temporary = join(folder, `.${basename(path)}.${unique}.tmp`);
  attempt("mkdir", folder, () => void fs.mkdirSync(folder, { recursive: true, mode: 0o700 }));
  try {
    attempt("write", temporary, () => write(temporary));
    attempt("rename", `${temporary}, ${path}`, () => fs.renameSync(temporary, path));
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}
