// What the chained entry says besides its type and capabilities, from a file that an administrator wrote once for all nodes.

import * as v from "valibot";
import { parse } from "yaml";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";

/** The keys of a chained entry, `networks` above all. */
export type EntrySettings = Readonly<Record<string, unknown>>;

/** The file is no mapping, or sets what is not its to set. */
class EntryFileError extends HostError {
  readonly code = "ERR_ENTRY_FILE";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`reading the chained entry in ${path}: ${problem}`, options);
  }
}

const settingsSchema = v.objectWithRest(
  { type: v.optional(v.never()), capabilities: v.optional(v.never()) },
  v.unknown(),
);

/**
 * The mapping in the YAML or JSON file at `path`; undefined when the file is missing. What its keys may say is the CNI
 * plugin's to check. Throws ERR_ENTRY_FILE.
 */
export function readEntryFile(host: Pick<Host, "files">, path: string): EntrySettings | undefined {
  const text = host.files.readText(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new EntryFileError(path, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  if (Array.isArray(value))
    throw new EntryFileError(path, "expected a mapping with the key networks, got a list");
  const result = v.safeParse(settingsSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const expected =
    issue.expected === "never" ? "to be left to install-cni" : `expected ${issue.expected ?? "a mapping"}`;
  throw new EntryFileError(path, `${v.getDotPath(issue) ?? "top level"}: ${expected}, got ${issue.received}`);
}
