// What is wrong with a configuration: every problem at once, each with path, expected, got, and the near key or value.

import { SriovError } from "./errors.ts";

/** One problem in words: "vlan: expected an integer from 0 to 4094, got 5000". */
export type ConfigProblem = string;

/** A configuration is not understood; the message lists every problem. */
export class ConfigError extends SriovError {
  readonly code = "ERR_NETWORK_CONFIG";
  readonly problems: readonly ConfigProblem[];

  constructor(what: string, problems: readonly ConfigProblem[]) {
    super(formatProblems(what, problems));
    this.problems = problems;
  }
}

/** "2 problems in WHAT: ... | ...". */
export function formatProblems(what: string, problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${count} in ${what}: ${problems.join(" | ")}`;
}

/** The problem of a value that is not as expected. */
export function describeValue(path: string, expected: string, got: unknown): ConfigProblem {
  return `${path}: expected ${expected}, got ${got === undefined ? "nothing" : quote(got)}`;
}

/** The problem of a key that nobody knows, with the known one it is near to. */
export function describeUnknownKey(path: string, key: string, known: readonly string[]): ConfigProblem {
  return `${path}: unknown key${suggest(key, known)}`;
}

/** ", did you mean X?" for the known word nearest to `word`; "" when none is near. Case does not count. */
export function suggest(word: string, known: readonly string[]): string {
  const lower = word.toLowerCase();
  const most = Math.max(1, Math.floor(word.length / 3));
  const distances = known
    // A distance is at least the difference in length.
    .filter((candidate) => Math.abs(candidate.length - word.length) <= most)
    .map((candidate) => ({ candidate, distance: distanceOf(lower, candidate.toLowerCase()) }));
  const nearest = distances.toSorted((a, b) => a.distance - b.distance)[0];
  return nearest !== undefined && nearest.distance <= most ? `, did you mean ${nearest.candidate}?` : "";
}

/** A value as JSON, shortened. */
function quote(value: unknown): string {
  const text = toJson(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

// By an anchor of YAML a value can be inside itself, which JSON has no words for.
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return Array.isArray(value) ? "[...]" : "{...}";
  }
}

// Edit distance; transposed neighbours ("vlna") count as one edit.
function distanceOf(a: string, b: string): number {
  let [before, previous]: readonly [readonly number[], readonly number[]] = [
    [],
    Array.from({ length: b.length + 1 }, (_, at) => at),
  ];
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isEqual = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const options = [
        (previous[j] ?? 0) + 1,
        (current[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (isEqual ? 0 : 1),
        ...(isSwapped ? [(before[j - 2] ?? 0) + 1] : []),
      ];
      current.push(Math.min(...options));
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length] ?? 0;
}
