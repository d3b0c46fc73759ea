// Reading events while reading, opening or the listener fails.

import * as fs from "node:fs";

import { expect, it } from "vitest";

import { SystemCallError } from "../../../../host/errors.ts";
import { receiveMulticast } from "../../../../host/netlink/multicast.ts";

/** A descriptor whose first read fails (EIO): the socket that broke. */
function openBroken(): number {
  return fs.openSync("/proc/self/mem", "r");
}

it("a socket that breaks, and cannot be opened again at once, is opened again until that works", async () => {
  const opened: string[] = [];
  const steps = [
    openBroken,
    () => {
      throw new SystemCallError("socket", "16, 3, 0", "EMFILE");
    },
    openBroken,
  ];
  const overruns = Promise.withResolvers<void>();
  let told = 0;
  using _subscription = receiveMulticast(
    {
      open: () => {
        const step = steps[opened.length] ?? openBroken;
        opened.push("open");
        return step();
      },
      decode: () => ["event"],
      overrun: "overrun",
    },
    (event) => {
      expect(event).toBe("overrun");
      told += 1;
      if (told === 2) overruns.resolve();
    },
    1,
  );
  await overruns.promise;
  expect(opened.length).toBeGreaterThanOrEqual(4);
});
