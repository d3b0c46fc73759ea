// Keys that stand twice in one map of a YAML text. The library compares every two keys, which takes minutes for large maps.

import { isMap, isScalar, isSeq } from "yaml";

/** `at`: offset of the second one. */
export interface TwinKey {
  readonly at: number;
  readonly key: string;
}

/** The keys that their map has already, in the order of the text. */
export function findTwinKeys(contents: unknown): readonly TwinKey[] {
  const twins: TwinKey[] = [];
  const left = [contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isSeq(node)) for (const item of node.items) left.push(item);
    if (!isMap(node)) continue;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      left.push(key, value);
      if (!isScalar(key)) continue;
      if (seen.has(key.value)) twins.push({ at: key.range?.[0] ?? 0, key: String(key.value) });
      seen.add(key.value);
    }
  }
  return twins.toSorted((a, b) => a.at - b.at);
}
