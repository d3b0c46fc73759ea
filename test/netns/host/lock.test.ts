// Locks in a folder that the kernel lets nothing be written to.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

it("gives a lock although the disk has no room for the holder's pid", () => {
  const folder = mkdtempSync(join(tmpdir(), "virtfn-lock-"));
  const script = `
    import { writeFileSync } from "node:fs";
    import { createClock } from "${import.meta.resolve("../../../host/clock.ts")}";
    import { createFiles } from "${import.meta.resolve("../../../host/files.ts")}";
    import { createLibc } from "${import.meta.resolve("../../../host/libc.ts")}";
    import { createLocks } from "${import.meta.resolve("../../../host/lock.ts")}";
    try {
      writeFileSync("${folder}/full", "x".repeat(100_000));
    } catch {}
    const locks = createLocks({ libc: createLibc(), clock: createClock(createFiles()) }, "${folder}");
    using held = await locks.acquire("pick");
    const second = await locks.acquire("pick", { timeoutMs: 0 }).catch(({ message }) => message);
    console.log(second.replace(String(process.pid), "ours"));
  `;
  const mount = 'mount -t tmpfs -o size=16k none "$0" && exec "$@"';
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", mount, folder, process.execPath, "-e", script]);
  rmSync(folder, { recursive: true });
  expect(child.stderr.toString()).toBe("");
  expect(child.stdout.toString()).toBe(
    `waited 0 ms for the lock ${folder}/pick: process ours still holds it\n`,
  );
});
