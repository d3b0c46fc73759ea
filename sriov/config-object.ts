// Reads one object of a configuration by a valibot schema: keys in any case, none unknown, every problem with its path.

import * as v from "valibot";

import { describeUnknownKey, describeValue, suggest, type ConfigProblem } from "./config-problems.ts";

export type ConfigEntries = Readonly<Record<string, v.GenericSchema>>;

export interface ReadOptions {
  /** Path of the object, "" at the top. */
  readonly path: string;
  /** Keys of others, passed over. */
  readonly isForeign?: (key: string) => boolean;
}

/** `output` where the object is right; all problems otherwise. */
export type ReadResult<Output> =
  | { readonly output: Output; readonly problems: readonly [] }
  | { readonly output: undefined; readonly problems: readonly ConfigProblem[] };

/**
 * The object's values by canonical key. Key case is ignored, as Go's decoder does it; a key given twice, an unknown one and a
 * wrong value are problems; null and "" count as not given. Each schema's message says what is expected.
 */
export function readConfigObject<const Entries extends ConfigEntries>(
  entries: Entries,
  value: unknown,
  options: ReadOptions,
): ReadResult<{ readonly [Key in keyof Entries]: v.InferOutput<Entries[Key]> }> {
  const prefix = options.path === "" ? "" : `${options.path}.`;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return {
      output: undefined,
      problems: [describeValue(options.path || "configuration", "an object", value)],
    };
  const known = Object.keys(entries);
  const byLowerCase = new Map(known.map((key) => [key.toLowerCase(), key]));
  // All keys are there, so that a missing one is a problem in its schema's words.
  const canonical: Record<string, unknown> = Object.fromEntries(known.map((key) => [key, undefined]));
  const seen = new Set<string>();
  const problems: ConfigProblem[] = [];
  for (const [key, member] of Object.entries(value)) {
    const name = byLowerCase.get(key.toLowerCase());
    if (name === undefined) {
      if (options.isForeign?.(key) !== true) problems.push(describeUnknownKey(`${prefix}${key}`, key, known));
    } else if (seen.has(name)) problems.push(`${prefix}${key}: given twice, as ${name} too`);
    else if (member !== null && member !== "") canonical[name] = member;
    if (name !== undefined) seen.add(name);
  }
  const parsed = v.safeParse(v.object(entries), canonical, { abortPipeEarly: true });
  if (!parsed.success) problems.push(...parsed.issues.map((issue) => describeIssue(prefix, issue)));
  if (problems.length > 0 || !parsed.success) return { output: undefined, problems };
  return { output: parsed.output, problems: [] };
}

function describeIssue(prefix: string, issue: v.BaseIssue<unknown>): ConfigProblem {
  const path = `${prefix}${v.getDotPath(issue) ?? ""}`;
  const problem = describeValue(path, issue.message, issue.input);
  if (issue.type !== "picklist" || typeof issue.input !== "string") return problem;
  // Its `expected` is ("on" | "off").
  const options = [...(issue.expected ?? "").matchAll(/"([^"]*)"/g)].map(([, option]) => option ?? "");
  return `${problem}${suggest(issue.input, options)}`;
}
