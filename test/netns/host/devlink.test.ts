// Devlink of the real kernel, which may be built without it: a device that tells nothing is no error.

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";

test("nothing is told of a device that is not there", () => {
  using devlink = createHost().openDevlink();
  expect(devlink.getRunningVersions("ffff:ff:1f.7").size).toBe(0);
});
