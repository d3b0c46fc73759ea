// Tests test/bench/network/label.ts.

import { expect, test } from "vitest";

import { labelOf } from "../../../bench/network/label.ts";

test("only a device under the load of other machines is measured", () => {
  expect(labelOf({ mode: "host", role: "server" }, true)).toBe("measured on hardware");
  expect(labelOf({ mode: "host", role: "server" }, false)).toBe("no hardware, functional only");
  expect(labelOf({ mode: "host", role: "both" }, true)).toBe("both ends on one machine, functional only");
  expect(labelOf({ mode: "lab", role: "both" }, true)).toBe("emulated, functional only");
});
