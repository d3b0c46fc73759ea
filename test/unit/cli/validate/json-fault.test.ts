// Where a text stops being JSON: as JSON.parse judges, with the place.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { findJsonFault } from "../../../../cli/validate/json-fault.ts";

test.each([
  ['{"a": 1,}', 8, 'a key in quotes, as there is a comma before, got "}"'],
  ["[1, 2,]", 6, 'a value, got "]"'],
  ['{"a": 1 "b": 2}', 8, ', or }, got "\\"b\\":"'],
  ["{a: 1}", 1, 'a key in quotes or }, got "a:"'],
  ['{"a" 1}', 5, ': behind the key, got "1}"'],
  ["{\"a\": 'b'}", 6, "a value, got \"'b'}\""],
  ['{"a": 01}', 6, 'a value, got "01}"'],
  ['{"a": 1 // one\n}', 8, ', or }, got "//"'],
  ['{"a": [1', 8, ", or ], got the end"],
  ["{} {}", 3, 'nothing more, got "{}"'],
  ["", 0, "a value, got the end"],
])("%j stops at %i", (text, at, problem) => {
  expect(findJsonFault(text)).toEqual({ at, problem: `expected JSON: ${problem}` });
});

test("nesting of any depth and long texts are read", () => {
  expect(findJsonFault(`"${"a".repeat(1e6)}"`)).toBeUndefined();
  expect(findJsonFault(`"${"a".repeat(1e6)}`)).toMatchObject({ at: 0 });
  expect(findJsonFault(`${"[".repeat(1e4)}${"]".repeat(1e4)}`)).toBeUndefined();
});

test("it judges as JSON.parse, of JSON and of JSON with one character changed", () => {
  const changed = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom("", ",", "}", "]", '"', "\\", "0", "e", "\t"),
  );
  fc.assert(
    fc.property(fc.oneof(fc.json(), changed), (made) => {
      const [json, at, by] = typeof made === "string" ? [made, 0, ""] : made;
      const place = at % (json.length + 1);
      const text = typeof made === "string" ? json : `${json.slice(0, place)}${by}${json.slice(place + 1)}`;
      expect(findJsonFault(text) === undefined).toBe(isJson(text));
    }),
    { numRuns: 500 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
