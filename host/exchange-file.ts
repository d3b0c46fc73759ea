// Replaces a file that other programs write, too: what they wrote since it was read is not lost.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import { replaceFile } from "./replace-file.ts";
import type { Libc } from "./libc.ts";

export interface UnchangedFile {
  /** What was read there. */
  readonly before: string;
  readonly text: string;
  readonly mode: number;
}

/** Not every file system can. Source: rename(2), RENAME_EXCHANGE. */
const cannot: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOTSUP"]);
/** As often as another program may write between two of our calls. */
const maxTurns = 100;

/**
 * Puts `text` in the place of `path` while that holds `before`, on the disk when it returns (fsync); false, with everything as it
 * was, when it is missing or holds something else. The two files change places, so that what is displaced can be looked at: not
 * what was read, it goes back. Where the file system cannot do that, a write within the microseconds before is lost.
 */
export function replaceUnchanged(
  path: string,
  { before, text, mode }: UnchangedFile,
  exchange: Libc["exchange"],
): boolean {
  let isOurs = false;
  if (readOrNothing(path) === undefined) return false;
  replaceFile(
    path,
    (temporary) => {
      fs.writeFileSync(temporary, text, { flag: "wx", mode });
      fs.chmodSync(temporary, mode);
    },
    {
      isDurable: true,
      place: (temporary) => {
        isOurs = takePlace(path, temporary, { before, text }, exchange);
        fs.rmSync(temporary, { force: true });
      },
    },
  );
  return isOurs;
}

function takePlace(
  path: string,
  temporary: string,
  { before, text }: Omit<UnchangedFile, "mode">,
  exchange: Libc["exchange"],
): boolean {
  let expected = before;
  let put = text;
  for (let turn = 0; turn < maxTurns; turn += 1) {
    const refusal = tryExchange(temporary, path, exchange);
    if (refusal === "ENOENT") return false;
    if (refusal !== undefined) {
      const isUnchanged = readOrNothing(path) === before;
      if (isUnchanged) fs.renameSync(temporary, path);
      return isUnchanged;
    }
    const taken = readOrNothing(temporary) ?? "";
    if (taken === expected) break;
    [expected, put] = [put, taken];
  }
  return put === text;
}

function tryExchange(temporary: string, path: string, exchange: Libc["exchange"]): string | undefined {
  try {
    exchange(temporary, path);
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemCallError) || !(error.errno === "ENOENT" || cannot.has(error.errno)))
      throw error;
    return error.errno;
  }
}

function readOrNothing(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
