// Objects inside a value of a configuration: their keys in the case of the schema, as those at the top, and every problem with its path.

import { describeUnknownKey, describeValue, type ConfigProblem } from "./config-problems.ts";

/** What of a valibot schema tells of objects inside: optional ones, lists, and objects of which all keys are known (strict) or some. */
interface Nesting {
  readonly type: string;
  readonly message?: unknown;
  readonly wrapped?: Nesting;
  readonly item?: Nesting;
  readonly entries?: Readonly<Record<string, Nesting>>;
}

export interface Folded {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
}

/**
 * `value` with the keys that `schema` knows in its case. A known key that is null, or "" in a strict object, counts as not given. One
 * given twice, an unknown one of a strict object and a list in an object's place are problems, and left out.
 */
export function foldNested(schema: Nesting, value: unknown, path: string): Folded {
  const { type, wrapped, item, entries } = schema;
  if (wrapped !== undefined) return foldNested(wrapped, value, path);
  if (type === "array" && item !== undefined && Array.isArray(value)) {
    const items = value.map((one, at) => foldNested(item, one, `${path}.${at}`));
    return { value: items.map((one) => one.value), problems: items.flatMap(({ problems }) => problems) };
  }
  if (entries === undefined || typeof value !== "object" || value === null) return { value, problems: [] };
  if (Array.isArray(value))
    return { value: undefined, problems: [describeValue(path, String(schema.message), value)] };
  return foldObject({ entries, isStrict: type === "strict_object" }, value, path);
}

interface ObjectNesting {
  readonly entries: Readonly<Record<string, Nesting>>;
  readonly isStrict: boolean;
}

function foldObject({ entries, isStrict }: ObjectNesting, value: object, path: string): Folded {
  const known = Object.keys(entries);
  const byLowerCase = new Map(known.map((key) => [key.toLowerCase(), key]));
  const given = new Map<string, unknown>();
  const problems: ConfigProblem[] = [];
  for (const [key, member] of Object.entries(value)) {
    const at = `${path}.${key}`;
    const name = byLowerCase.get(key.toLowerCase());
    const schema = name === undefined ? undefined : entries[name];
    if (name === undefined || schema === undefined) {
      if (isStrict) problems.push(describeUnknownKey(at, key, known));
      else given.set(key, member);
      continue;
    }
    if (member === null || (isStrict && member === "")) continue;
    if (given.has(name)) problems.push(`${at}: given twice, as ${name} too`);
    const folded = foldNested(schema, member, `${path}.${name}`);
    problems.push(...folded.problems);
    if (!given.has(name)) given.set(name, folded.value);
  }
  return { value: Object.fromEntries(given), problems };
}
