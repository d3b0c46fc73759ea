// The file of contested pins: what is written is read, and what is no such file is told.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  formatContestedPins,
  opponents,
  parseContestedPins,
  readContestedPins,
  writeContestedPins,
} from "../../../sriov/contested-pins.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { codeOf } from "../../support/code-of.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const pin = {
  vf: parsePciAddress("0000:3b:02.1"),
  msiIndex: 1,
  by: "irqbalance",
  undone: 4,
  restSeconds: 60,
  restsUntil: "2026-01-01T00:01:00.000Z",
} as const;

test("what is written is read", () => {
  const some = fc.record({
    vf: fc.constantFrom(pin.vf, parsePciAddress("0000:3b:02.0")),
    msiIndex: fc.nat(2048),
    by: fc.constantFrom(...opponents),
    undone: fc.nat(),
    restSeconds: fc.nat(),
    restsUntil: fc
      .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString()),
  });
  fc.assert(
    fc.property(fc.array(some), (pins) => {
      expect(parseContestedPins(formatContestedPins(pins), "file")).toEqual(pins);
    }),
  );
});

test("without pins there is no file", () => {
  using fake = createFakeHost();
  expect(readContestedPins(fake.host)).toEqual([]);
  writeContestedPins(fake.host, [pin]);
  expect(readContestedPins(fake.host)).toEqual([pin]);
  writeContestedPins(fake.host, []);
  expect(fake.host.files.stat(fake.host.paths.contestedPins)).toBeUndefined();
});

test("an opponent of a later release is unknown here", () => {
  const text = formatContestedPins([pin]).replace("irqbalance", "of-2031");
  expect(parseContestedPins(text, "file")).toEqual([{ ...pin, by: "unknown" }]);
});

test.each(["", "{", "[]", '{"format":"2.0","pins":[]}', '{"format":"1.0","pins":[{"vf":"x"}]}'])(
  "%j is no such file",
  (text) => {
    expect(codeOf(() => parseContestedPins(text, "file"))).toBe("ERR_RECORD_CORRUPT");
  },
);
