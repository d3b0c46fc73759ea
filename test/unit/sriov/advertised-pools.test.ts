// What the device plugin offers, on disk.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatAdvertisedPools, parseAdvertisedPools } from "../../../sriov/advertised-pools.ts";

test("what is written is read again", () => {
  const names = fc.stringMatching(/^[a-z][a-z.]*\/[a-z_]+$/u);
  const pools = fc.array(fc.tuple(names, fc.array(fc.string()))).map((entries) => new Map(entries));
  const isKept = fc.property(pools, (written) => {
    const read = parseAdvertisedPools(formatAdvertisedPools(written), "/pools.json");
    return JSON.stringify([...read]) === JSON.stringify([...written]);
  });
  expect(fc.check(isKept).counterexample).toBeNull();
});

test("fields of a later minor are no problem", () => {
  const text = '{"format":"1.7","pools":{"sriov/vf":["0000:01:10.0"]},"later":true}';
  expect(parseAdvertisedPools(text, "/pools.json").get("sriov/vf")).toEqual(["0000:01:10.0"]);
});

test.each(["", "{", '{"format":"2.0","pools":{}}', '{"format":"1.0","pools":{"a/b":"c"}}'])(
  "%j is refused with the path",
  (text) => {
    expect(() => parseAdvertisedPools(text, "/run/virtfn/pools.json")).toThrow("/run/virtfn/pools.json");
  },
);
