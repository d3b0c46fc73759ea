// Replaces a file that other programs write, too: what they wrote since it was read is not lost.

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
        let marked = temporary;
        // Only a file that is whole, and on the disk, gets a mark: what is found under it is never a part.
        const mark = (turn: Turn): string => {
          const name = markTemporary(temporary, formatMark(turn));
          fs.renameSync(marked, name);
          marked = name;
          return name;
        };
        try {
          isOurs = takePlace(path, { before, text }, mark, exchange);
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
 * Puts back what another program wrote at `path` where a `replaceUnchanged` was killed after it had displaced that: see
 * `findDisplaced`. True when there was one.
 */
export function recoverDisplaced(path: string): boolean {
  const displaced = findDisplaced(path);
  for (const from of displaced) attempt("rename", `${from}, ${path}`, () => fs.renameSync(from, path));
  return displaced.length > 0;
}

/**
 * The temporary files that hold what another program wrote at `path` and a killed `replaceUnchanged` displaced: what that one put
 * there is there, and beside it neither this nor what it had expected. With something else there the file may be older than that.
 */
export function findDisplaced(path: string): readonly string[] {
  const folder = dirname(path);
  const names = listOrNothing(folder).filter((entry) => {
    const { target, mark } = readTemporaryName(entry);
    if (target !== basename(path) || mark === undefined) return false;
    const present = readOrNothing(path);
    return present !== undefined && isDisplaced(mark, present, readOrNothing(join(folder, entry)) ?? present);
  });
  return names.map((name) => join(folder, name));
}

/** One exchange: what is expected at the path, and what is put there. */
interface Turn {
  readonly expected: string;
  readonly put: string;
  /** It puts back what an exchange before had displaced. */
  readonly isBack: boolean;
}

const backMark = "r";

function formatMark({ expected, put, isBack }: Turn): string {
  return `${digest(expected)}${digest(put)}${isBack ? backMark : ""}`;
}

function isDisplaced(mark: string, present: string, beside: string): boolean {
  const [expected, put] = [mark.slice(0, digestLength), mark.slice(digestLength, 2 * digestLength)];
  const [there, temporary] = [digest(present), digest(beside)];
  if (there === put) return temporary !== expected && temporary !== put;
  return mark.endsWith(backMark) && there === expected && temporary === put;
}

function takePlace(
  path: string,
  { before, text }: Omit<UnchangedFile, "mode">,
  mark: (turn: Turn) => string,
  exchange: Libc["exchange"],
): boolean {
  let expected = before;
  let put = text;
  for (let turn = 0; turn < maxTurns; turn += 1) {
    const temporary = mark({ expected, put, isBack: turn > 0 });
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
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, digestLength);
}
