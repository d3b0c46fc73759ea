// Places in a text that a YAML scalar holds, whatever its style: the library that writes and reads them is the oracle.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Document, isMap, isScalar, parseDocument, Scalar } from "yaml";

import { mapScalar } from "../../../sriov/config-scalar.ts";

const styles = ["QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL", "BLOCK_FOLDED"] as const;

/** A document whose only key has `value` in that style, as the library reads it again. */
function write(value: string, style: (typeof styles)[number]): { text: string; scalar: Scalar<string> } {
  const scalar = new Scalar(value);
  scalar.type = style;
  const text = `# head\n${new Document({ spec: { config: scalar } }).toString({ lineWidth: 24 })}# tail\n`;
  const spec = parseDocument(text).getIn(["spec"]);
  const found = isMap(spec) ? spec.get("config", true) : undefined;
  if (!isScalar<string>(found)) throw new Error(`no text in ${text}`);
  return { text, scalar: found };
}

function placeOf(value: string, at: number): { readonly line: number; readonly column: number } {
  const before = value.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const word = fc.constantFrom('"vlan"', ":", "5", ",", "{", "}", "it's", '\\"', "ü", "😀", "\\", "#", "- a");
const space = fc.constantFrom(" ", "  ", "\n", "\n\n", "\n  ", "\t", "");
const anyText = fc
  .array(fc.tuple(word, space), { minLength: 1, maxLength: 30 })
  .map((parts) => parts.flat().join(""));

test.each(styles)("every character of a text in the style %s is found where it stands", (style) => {
  let count = 0;
  fc.assert(
    fc.property(anyText, (value) => {
      const { text, scalar } = write(value, style);
      expect(scalar.value).toBe(value);
      const { type, range } = scalar;
      // The library takes double quotes where a style has no words for the text.
      if (type === style) count += 1;
      const find = mapScalar(text, { type, value, range: range ?? [0, 0] });
      let last = -1;
      for (const [at, character] of value.split("").entries()) {
        if (/\s/.test(character)) continue;
        const offset = find(placeOf(value, at)) ?? -1;
        // An escape stands for both halves of a character outside of the basic plane.
        const isWhole = text[offset] === character || (type === "QUOTE_DOUBLE" && text[offset] === "\\");
        expect({ value, at, isWhole, isLater: offset >= last }).toEqual({
          value,
          at,
          isWhole: true,
          isLater: true,
        });
        last = offset;
      }
    }),
    { seed: 5, numRuns: 300 },
  );
  expect(count).toBeGreaterThan(50);
});

test("what is behind the last character is behind it in the file, too; a plain scalar is not looked into", () => {
  const { text, scalar } = write('{"a": 1,\n', "BLOCK_LITERAL");
  const parsed = { type: scalar.type, value: scalar.value, range: scalar.range ?? ([0, 0] as const) };
  expect(mapScalar(text, parsed)({ line: 2, column: 1 })).toBe(text.indexOf("1,") + 2);
  expect(mapScalar(text, parsed)({ line: 9, column: 1 })).toBeUndefined();
  expect(mapScalar(text, { ...parsed, type: "PLAIN" })({ line: 1, column: 1 })).toBeUndefined();
});
