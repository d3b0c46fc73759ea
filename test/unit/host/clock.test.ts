// The real clock.

import { describe, expect, it } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { createFiles } from "../../../host/files.ts";

const clock = createClock(createFiles());

describe("clock", () => {
  it("sleeps at least as long as asked", async () => {
    const startMs = clock.monotonicMs();
    await clock.sleep(20);
    expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(19);
  });

  it("rejects with the signal's reason, before and while sleeping", async () => {
    const reason = new Error("shutting down");
    await expect(clock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = clock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });

  it("reads the boot id once", () => {
    const files = createFiles();
    const read: string[] = [];
    const once = createClock({ readText: (path) => (read.push(path), files.readText(path)) });
    expect(once.bootId()).toBe(once.bootId());
    expect(read).toEqual(["/proc/sys/kernel/random/boot_id"]);
  });

  it("knows the kernel's boot id, and names the file when there is none", () => {
    expect(clock.bootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(() => createClock(createFiles(), "/none").bootId()).toThrow(
      "read(/none/sys/kernel/random/boot_id) failed: ENOENT",
    );
  });
});
