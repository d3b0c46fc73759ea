// One version for the package and the command.
import { expect, test } from "vitest";

import { version } from "../../../cli/version.ts";
import packageJson from "../../../package.json" with { type: "json" };

test("the command tells the package's version", () => {
  expect(version).toBe(packageJson.version);
});
