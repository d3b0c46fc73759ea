// Small JSON files in which a daemon keeps what it knows: read whole, or with one error that names the file.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { RecordCorruptError } from "./errors.ts";

/** The field `format` of such a file: any minor of format 1. */
export const firstFormat = v.pipe(v.string(), v.regex(/^1\.\d+$/u, "expected 1.x"));

type Schema<T> = v.GenericSchema<unknown, T>;

/** What the file says; `undefined` where there is none. Throws ERR_RECORD_CORRUPT. */
export function readStateFile<T>(host: Pick<Host, "files">, path: string, schema: Schema<T>): T | undefined {
  const text = host.files.readText(path);
  return text === undefined ? undefined : parseStateFile(text, path, schema);
}

/** JSON text to what it says; `path` is for messages. Throws ERR_RECORD_CORRUPT with every problem and its place. */
export function parseStateFile<T>(text: string, path: string, schema: Schema<T>): T {
  const parsed = v.safeParse(schema, parseJson(text, path));
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => {
    const place = v.getDotPath(issue);
    return place === null ? issue.message : `${place}: ${issue.message}`;
  });
  throw new RecordCorruptError(path, problems.join(" | "));
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RecordCorruptError(path, "expected JSON", { cause });
  }
}
