// PCI addresses: what is accepted, the canonical form, order, routing ids.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  comparePciAddress,
  formatPciAddress,
  isPciAddress,
  parsePciAddress,
  pciDomain,
  pciRoutingId,
} from "../../../sriov/pci-address.ts";
import { codeOf } from "../../support/code-of.ts";

test.each([
  ["0000:3b:02.1", "0000:3b:02.1"],
  ["0000:3B:0A.7", "0000:3b:0a.7"],
  ["3b:02.1", "0000:3b:02.1"],
  [" 0000:01:10.0\n", "0000:01:10.0"],
  ["10000:e1:00.0", "10000:e1:00.0"],
  ["0:01:10.0", "0000:01:10.0"],
])("%j is %s", (text, canonical) => {
  expect(parsePciAddress(text)).toBe(canonical);
  expect(isPciAddress(canonical)).toBe(true);
});

test.each([
  "",
  "0000:3b:02",
  "0000:3b:02.8",
  "0000:3b:20.0",
  "0000:3b:2.0",
  "000000001:3b:02.0",
  "../0000:3b:02.1",
  "0000:3b:02.1/..",
  "0000:3b:02.1 x",
  "0000:3g:02.1",
])("%j is refused, with what was expected", (text) => {
  expect(() => parsePciAddress(text)).toThrow(
    expect.objectContaining({
      code: "ERR_PCI_ADDRESS",
      message: expect.stringMatching(/expected a PCI address like 0000:3b:02\.1, got "/),
    }),
  );
});

test("only canonical text is an address as sysfs has it", () => {
  for (const text of ["0000:3B:02.1", "3b:02.1", "00000:3b:02.1"]) expect(isPciAddress(text)).toBe(false);
});

const addresses = fc
  .record({ domain: fc.integer({ min: 0, max: 0xfffff }), id: fc.integer({ min: 0, max: 0xffff }) })
  .map(({ domain, id }) => formatPciAddress(domain, id));

test("round trip: any domain and routing id", () => {
  fc.assert(
    fc.property(addresses, (address) => {
      expect(isPciAddress(address)).toBe(true);
      expect(parsePciAddress(address.toUpperCase())).toBe(address);
      expect(formatPciAddress(pciDomain(address), pciRoutingId(address))).toBe(address);
    }),
  );
});

test("any text is an address or a coded error", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parse = (): void => expect(isPciAddress(parsePciAddress(text))).toBe(true);
      expect(["ok", "ERR_PCI_ADDRESS"]).toContain(codeOf(parse));
    }),
  );
});

test("the order is by number, not by text", () => {
  const sorted = ["0000:02:00.0", "0000:02:00.1", "0000:0a:00.0", "ffff:00:00.0", "10000:01:00.0"].map(
    parsePciAddress,
  );
  expect(sorted.toReversed().toSorted(comparePciAddress)).toEqual(sorted);
});
