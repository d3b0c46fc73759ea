// Keys that are understood and that no code of this release acts on: asking for one is an error, never silently ignored.

import type { ConfigProblem } from "../sriov/config-problems.ts";

/** Whoever makes one of them work takes it out here. */
const pendingKeys: ReadonlySet<string> = new Set(["queues", "rings"]);

/** One problem for each such key that has a value in `input`, an object of canonical keys. `path` is "" or ends with ".". */
export function findPending(input: object, path: string): readonly ConfigProblem[] {
  return Object.entries(input)
    .filter(([key, value]) => value !== undefined && pendingKeys.has(key))
    .map(([key]) => `${path}${key}: not there yet in this release, expected nothing`);
}
