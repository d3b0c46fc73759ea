// Keys given twice: told where the YAML library itself tells them.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";

import { findTwinKeys } from "../../../sriov/twin-keys.ts";

const { tree } = fc.letrec<{ readonly tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("1", '"1"', "~", "x"),
    fc.array(tie("tree"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(fc.constantFrom("a", "b", "1", '"1"', "~", "[a]", "&n c"), tie("tree")), {
        maxLength: 4,
      })
      .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(", ")}}`),
  ),
}));

test("in maps of any depth", () => {
  fc.assert(
    fc.property(tree, (text) => {
      const told = parseDocument(text, { prettyErrors: false }).errors;
      const { contents } = parseDocument(text, { uniqueKeys: false });
      const offsets = told.filter(({ code }) => code === "DUPLICATE_KEY").map(({ pos }) => pos[0]);
      expect(findTwinKeys(contents).map(({ at }) => at)).toEqual(offsets.toSorted((a, b) => a - b));
    }),
  );
});
