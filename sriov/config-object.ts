// Reads one object of a configuration by a valibot schema: keys in any case, none unknown, every problem with its path.

import * as v from "valibot";

import { foldNested } from "./config-nested.ts";
import { describeUnknownKey, describeValue, suggest, type ConfigProblem } from "./config-problems.ts";

export type ConfigEntries = Readonly<Record<string, v.GenericSchema>>;

export interface ReadOptions {
  /** Path of the object, "" at the top. */
  readonly path: string;
  /** Keys of others, passed over. */
  readonly isForeign?: (key: string) => boolean;
}

/** What is right in an object, by canonical key, and what is wrong with the rest. */
export interface ReadResult<Output> {
  /** Keys that are absent or wrong are undefined; the whole is undefined when the value is no object. */
  readonly output: { readonly [Key in keyof Output]: Output[Key] | undefined } | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Whether a value counts as given: null and "" are as if the key were absent. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

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
  const given = new Map<string, unknown>();
  const problems: ConfigProblem[] = [];
  for (const [key, member] of Object.entries(value)) {
    const name = byLowerCase.get(key.toLowerCase());
    if (name === undefined) {
      if (options.isForeign?.(key) !== true) problems.push(describeUnknownKey(`${prefix}${key}`, key, known));
    } else if (given.has(name)) problems.push(`${prefix}${key}: given twice, as ${name} too`);
    else given.set(name, isGiven(member) ? member : undefined);
  }
  const output: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(entries)) {
    if (given.get(name) === undefined && schema.type === "optional") continue;
    const folded = foldNested(schema, given.get(name), `${prefix}${name}`);
    problems.push(...folded.problems);
    // One that must be there is parsed when it is absent, too: that is a problem in its schema's words.
    const parsed = v.safeParse(schema, folded.value, { abortPipeEarly: true });
    output[name] = parsed.success ? parsed.output : undefined;
    if (!parsed.success)
      problems.push(...parsed.issues.map((issue) => describeIssue(`${prefix}${name}`, issue)));
  }
  return { output: output as NonNullable<ReturnType<typeof readConfigObject<Entries>>["output"]>, problems };
}

/** The problem of a valibot issue below `path` ("" at the top), with the near value of a list to choose from. */
export function describeIssue(path: string, issue: v.BaseIssue<unknown>): ConfigProblem {
  const inner = v.getDotPath(issue);
  const at = [path, inner].filter((part) => part !== "" && part !== null).join(".");
  const problem = describeValue(at, issue.message, issue.input);
  if (issue.type !== "picklist" || typeof issue.input !== "string") return problem;
  // Its `expected` is ("on" | "off").
  const options = [...(issue.expected ?? "").matchAll(/"([^"]*)"/g)].map(([, option]) => option ?? "");
  return `${problem}${suggest(issue.input, options)}`;
}
