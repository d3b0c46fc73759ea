// Keys that stand twice in one map of a YAML text. The library compares every two keys, which takes minutes for large maps.

import { isMap, isScalar, isSeq } from "yaml";

/** Offsets of the keys that their map has already, in the order of the text. */
export function findTwinKeys(contents: unknown): readonly number[] {
  const offsets: number[] = [];
  const left = [contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isSeq(node)) for (const item of node.items) left.push(item);
    if (!isMap(node)) continue;
    const seen = new Set<unknown>();
    for (const { key, value } of node.items) {
      left.push(key, value);
      if (!isScalar(key)) continue;
      if (seen.has(key.value)) offsets.push(key.range?.[0] ?? 0);
      seen.add(key.value);
    }
  }
  return offsets.toSorted((a, b) => a - b);
}
