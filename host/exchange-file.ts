// Replaces a file that other programs write, too: what they wrote since it was read is not lost.

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

import { SystemCallError } from "./errors.ts";
import { absentAs, attempt } from "./file-errors.ts";
import { markTemporary, readTemporaryName, replaceFile } from "./replace-file.ts";
import type { Libc } from "./libc.ts";

export interface UnchangedFile {
  /** What was read there. */
  readonly before: string;
  readonly text: string;
  readonly mode: number;
}

/** Not every file system can. Source: rename(2), RENAME_EXCHANGE. */
const cannot: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOTSUP"]);
const digestLength = 8;
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
  recoverDisplaced(path);
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
        // Only a file that is whole, and on the disk, gets the mark: what is found under it is never a part.
        const marked = markTemporary(temporary, `${digest(before)}${digest(text)}`);
        fs.renameSync(temporary, marked);
        try {
          isOurs = takePlace(path, marked, { before, text }, exchange);
        } finally {
          recoverDisplaced(path);
          fs.rmSync(marked, { force: true });
        }
      },
    },
  );
  return isOurs;
}

/**
 * Puts back what another program wrote at `path` where a `replaceUnchanged` was killed after it had displaced that: what that one
 * was to write is there, and beside it a temporary file of it that is neither this nor what it had read. True when there was one.
 */
export function recoverDisplaced(path: string): boolean {
  const folder = dirname(path);
  const displaced = listOrNothing(folder).filter((entry) => {
    const { target, mark } = readTemporaryName(entry);
    if (target !== basename(path) || mark === undefined) return false;
    const present = readOrNothing(path);
    // With something else there the file may be older than that.
    if (present === undefined || writtenMark(mark) !== digest(present)) return false;
    const taken = digest(readOrNothing(join(folder, entry)) ?? present);
    return taken !== readMark(mark) && taken !== writtenMark(mark);
  });
  for (const entry of displaced) {
    const from = join(folder, entry);
    attempt("rename", `${from}, ${path}`, () => fs.renameSync(from, path));
  }
  return displaced.length > 0;
}

// What that writer had read at the path, and what it was to write there, as digests.
const readMark = (mark: string): string => mark.slice(0, digestLength);
const writtenMark = (mark: string): string => mark.slice(digestLength);

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
  return absentAs(undefined, "read", path, () => fs.readFileSync(path, "utf8"), ["ENOENT"]);
}

function listOrNothing(folder: string): readonly string[] {
  return absentAs([], "readdir", folder, () => fs.readdirSync(folder), ["ENOENT"]);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digestLength);
}
