// What tuning made of the node's table of socket flows, which all VFs with RFS share; it ends with the boot, as the table does.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { firstFormat, readStateFile } from "./state-file.ts";

/** `original`: its entries before the first write; `written`: each size that tuning meant to write since. */
export interface RfsNote {
  readonly original: number;
  readonly written: readonly number[];
}

type Store = Pick<Host, "files" | "paths">;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const schema = v.object({
  format: firstFormat,
  original: count,
  written: v.array(count),
});

/** `undefined` while tuning has changed nothing. Throws ERR_RECORD_CORRUPT. */
export function readRfsNote(host: Store): RfsNote | undefined {
  const note = readStateFile(host, host.paths.rfsNote, schema);
  return note && { original: note.original, written: note.written };
}

/** Replaces the note; `undefined` removes it. */
export function writeRfsNote(host: Store, note: RfsNote | undefined): void {
  const path = host.paths.rfsNote;
  if (note === undefined) host.files.remove(path);
  else host.files.writeAtomic(path, `${JSON.stringify({ format: "1.0", ...note })}\n`);
}
