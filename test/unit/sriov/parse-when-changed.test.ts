// Texts that are parsed once as long as they stay the same.

import { expect, test } from "vitest";

import { parseWhenChanged } from "../../../sriov/parse-when-changed.ts";

/** A parser of JSON that notes what it was given. */
function noting() {
  const parsed: string[] = [];
  const read = parseWhenChanged((text: string, owner: string, path: string): unknown => {
    parsed.push(`${owner} ${path} ${text}`);
    return JSON.parse(text);
  });
  return { parsed, read };
}

test("the same text of the same file is parsed once, another one again", () => {
  const { parsed, read } = noting();
  const first = read("[1]", "a", "/x");
  expect(read("[1]", "a", "/x")).toBe(first);
  expect(read("[2]", "a", "/x")).toEqual([2]);
  expect(read("[1]", "a", "/x")).toEqual([1]);
  expect(parsed).toEqual(["a /x [1]", "a /x [2]", "a /x [1]"]);
});

test("the same text of another file, or about another one, is parsed too", () => {
  const { parsed, read } = noting();
  for (const [owner, path] of [
    ["a", "/x"],
    ["a", "/y"],
    ["b", "/x"],
  ] as const)
    expect(read("[]", owner, path)).toEqual([]);
  expect(parsed).toHaveLength(3);
});

test("what can't be parsed is told each time, and takes nothing away of what was there before", () => {
  const { parsed, read } = noting();
  read("[1]", "a", "/x");
  for (const _ of [1, 2]) expect(() => read("[", "a", "/x")).toThrow(SyntaxError);
  expect(read("[1]", "a", "/x")).toEqual([1]);
  expect(parsed).toHaveLength(3);
});
