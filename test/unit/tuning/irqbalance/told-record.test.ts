// What irqbalance was told, on disk.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatTold, parseTold, readTold, writeTold } from "../../../../tuning/irqbalance/told-record.ts";
import { createFakeHost } from "../../../support/fake-host.ts";

const irqs = fc.array(fc.nat());
const told = fc.record({
  bootId: fc.string(),
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  startTicks: fc.string(),
  irqs,
  covered: irqs,
});

test("what is written is read", () => {
  const some = fc.record({ told: fc.option(told, { nil: undefined }), folders: fc.array(fc.string()) });
  fc.assert(
    fc.property(some, (record) => {
      expect(parseTold(formatTold(record))).toEqual(record);
    }),
  );
});

test.each(["", "{", "[]", '{"format":"2.0","folders":[]}', '{"format":"1.0"}'])("%j is nothing", (text) => {
  using fake = createFakeHost();
  expect(parseTold(text)).toBeUndefined();
  fake.host.files.writeAtomic(fake.host.paths.toldIrqBalance, text);
  expect(readTold(fake.host)).toEqual({ told: undefined, folders: [] });
  writeTold(fake.host, { told: undefined, folders: [] });
  expect(fake.host.files.stat(fake.host.paths.toldIrqBalance)).toBeUndefined();
});
