// What tuning could not do in its last look, on disk for who looks at the node.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { firstFormat, parseStateFile, readStateFile } from "./state-file.ts";

/** `vf`: its PCI address, or "node". `code`: an errno, an ERR_ code, FALLBACK, PARTIAL or UNSUPPORTED. */
export interface TuningProblem {
  readonly vf: string;
  readonly about: string;
  readonly code: string;
  readonly message: string;
}

const text = v.string();
const schema = v.object({
  format: firstFormat,
  problems: v.array(v.object({ vf: text, about: text, code: text, message: text })),
});

type Store = Pick<Host, "files" | "paths">;

/** What the daemon wrote last in this boot; none where none ran or nothing was wrong. Throws ERR_RECORD_CORRUPT. */
export function readTuningProblems(host: Store): readonly TuningProblem[] {
  return readStateFile(host, host.paths.tuningProblems, schema)?.problems ?? [];
}

/** Replaces the file; without problems it is removed. Written by the daemon alone. */
export function writeTuningProblems(host: Store, problems: readonly TuningProblem[]): void {
  const path = host.paths.tuningProblems;
  if (problems.length === 0) host.files.remove(path);
  else host.files.writeAtomic(path, formatTuningProblems(problems));
}

/** JSON text to what it says; `path` is for messages. Throws ERR_RECORD_CORRUPT. */
export function parseTuningProblems(json: string, path: string): readonly TuningProblem[] {
  return parseStateFile(json, path, schema).problems;
}

/** Problems to JSON text, format 1.0. */
export function formatTuningProblems(problems: readonly TuningProblem[]): string {
  const plain = problems.map(({ vf, about, code, message }) => ({ vf, about, code, message }));
  return `${JSON.stringify({ format: "1.0", problems: plain }, undefined, 1)}\n`;
}
