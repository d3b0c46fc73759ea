// The short readings of a call that needs no more agree with the long ones.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parsePodArguments, readPodUid } from "../../../cni/pod-arguments.ts";
import { countBytes } from "../../../cni/variables.ts";

const key = fc.constantFrom("K8S_POD_UID", "xK8S_POD_UID", "K8S_POD_UIDx", "K8S_POD_NAME", "A");
const value = fc.string({ unit: fc.constantFrom("a", "=", "K", "8"), maxLength: 4 });
const pair = fc.oneof(
  fc.constant(""),
  fc.tuple(key, value).map(([name, text]) => `${name}=${text}`),
);

test("the UID alone is the UID of all arguments, the last one where there are more", () => {
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 6 }), (pairs) => {
      const text = pairs.join(";");
      expect(readPodUid(text)).toBe(parsePodArguments(text).uid);
    }),
    { seed: 1, examples: [[["K8S_POD_UID=a", "K8S_POD_UID=b"]], [["A=K8S_POD_UID=a"]], [["K8S_POD_UID="]]] },
  );
});

test("bytes of a text are counted as an encoder makes them, halves of pairs too", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom("", "\ud800", "\udc00"), (text, half) => {
      const odd = `${half}${text}${half}`;
      expect(countBytes(odd)).toBe(new TextEncoder().encode(odd).length);
    }),
    { seed: 1 },
  );
});
