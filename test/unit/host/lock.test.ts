// Locks on real files, held by this process and by others.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { LockTimeoutError } from "../../../host/errors.ts";
import { createFiles } from "../../../host/files.ts";
import { createLibc } from "../../../host/libc.ts";
import { createLocks, type Locks } from "../../../host/lock.ts";

let folder: string;
let locks: Locks;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "virtfn-lock-"));
  locks = createLocks({ libc: createLibc(), clock: createClock(createFiles()) }, join(folder, "lock"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Another process that holds `name`. */
async function startHolder(name: string): Promise<Bun.Subprocess> {
  const script = join(import.meta.dirname, "../../support/lock-holder-main.ts");
  const holder = Bun.spawn([process.execPath, script, join(folder, "lock"), name], {
    stdout: "pipe",
    stderr: "inherit",
  });
  await holder.stdout.getReader().read();
  return holder;
}

describe("acquire", () => {
  it("makes a private file that stays after release, with the holder's pid in it", async () => {
    const held = await locks.acquire("0000:3b:02.1");
    const path = join(folder, "lock/0000:3b:02.1");
    expect(held.path).toBe(path);
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "lock")).mode & 0o777).toBe(0o700);
    held[Symbol.dispose]();
    held[Symbol.dispose]();
    expect(readdirSync(join(folder, "lock"))).toEqual(["0000:3b:02.1"]);
  });

  it("keeps locks of different names apart", async () => {
    using _one = await locks.acquire("one", { timeoutMs: 0 });
    using _two = await locks.acquire("two", { timeoutMs: 0 });
    expect(readdirSync(join(folder, "lock"))).toEqual(["one", "two"]);
  });

  it("excludes a second taker in the same process, and names it", async () => {
    using _held = await locks.acquire("pick");
    const second = locks.acquire("pick", { timeoutMs: 0 });
    await expect(second).rejects.toThrow(`process ${process.pid} still holds it`);
    await expect(second).rejects.toBeInstanceOf(LockTimeoutError);
  });

  it("lets many takers through one at a time", async () => {
    let inside = 0;
    let most = 0;
    const taker = async (): Promise<void> => {
      using _held = await locks.acquire("pick");
      most = Math.max(most, ++inside);
      await Promise.resolve();
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, taker));
    expect(most).toBe(1);
  });

  it("names a stopped holder after the whole waiting time, and gets the lock once the holder is killed", async () => {
    const holder = await startHolder("pick");
    try {
      holder.kill("SIGSTOP");
      const startMs = performance.now();
      await expect(locks.acquire("pick", { timeoutMs: 120 })).rejects.toMatchObject({
        code: "ERR_LOCK_TIMEOUT",
        holderPid: holder.pid,
        message: `waited 120 ms for the lock ${join(folder, "lock/pick")}: process ${holder.pid} still holds it`,
      });
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(119);
      const waiting = locks.acquire("pick", { timeoutMs: 10_000 });
      holder.kill("SIGKILL");
      using held = await waiting;
      expect(held.path).toBe(join(folder, "lock/pick"));
    } finally {
      holder.kill("SIGKILL");
      await holder.exited;
    }
  });

  it("is not inherited by a child that outlives the release", async () => {
    const held = await locks.acquire("pick");
    const child = Bun.spawn(["/bin/sleep", "60"]);
    try {
      held[Symbol.dispose]();
      // Not at once: a process that another test's thread starts has every descriptor between its fork and its exec.
      using again = await locks.acquire("pick", { timeoutMs: 5_000 });
      expect(again.path).toBe(held.path);
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
  });

  it("refuses a name that would lead out of the folder", async () => {
    await expect(locks.acquire("../pick")).rejects.toThrow('open(lock "../pick") failed: EINVAL');
  });
});
