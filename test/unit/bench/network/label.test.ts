// Tests test/bench/network/label.ts.

import { expect, test } from "vitest";

import { labelOf } from "../../../bench/network/label.ts";

const real = { isDevice: true, isVirtual: false };

test("only a device of a real machine under the load of other machines is measured", () => {
  const server = { mode: "host", role: "server" } as const;
  expect(labelOf(server, real)).toBe("measured on hardware");
  expect(labelOf(server, { ...real, isDevice: false })).toBe("no hardware, functional only");
  expect(labelOf(server, { ...real, isVirtual: true })).toBe("in a virtual machine, functional only");
  expect(labelOf({ mode: "host", role: "both" }, real)).toBe("both ends on one machine, functional only");
  expect(labelOf({ mode: "lab", role: "both" }, real)).toBe("emulated, functional only");
});
