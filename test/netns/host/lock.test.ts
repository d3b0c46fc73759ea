// Locks in a folder that the kernel lets nothing be written to.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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

it("names the holder of this very file, not that of one with the same inode on another tmpfs", () => {
  const folder = mkdtempSync(join(tmpdir(), "virtfn-lock-"));
  const holder = fileURLToPath(new URL("../../support/lock-holder-main.ts", import.meta.url));
  const script = `
    import { createClock } from "${import.meta.resolve("../../../host/clock.ts")}";
    import { createFiles } from "${import.meta.resolve("../../../host/files.ts")}";
    import { createLibc } from "${import.meta.resolve("../../../host/libc.ts")}";
    import { createLocks } from "${import.meta.resolve("../../../host/lock.ts")}";
    const start = async (side) => {
      const child = Bun.spawn([process.execPath, "${holder}", "${folder}/" + side, "pick"], { stdout: "pipe" });
      await child.stdout.getReader().read();
      return child;
    };
    const ask = (side) => createLocks({ libc: createLibc(), clock: createClock(createFiles()) }, "${folder}/" + side)
      .acquire("pick", { timeoutMs: 0 }).catch(({ holderPid }) => holderPid);
    const [a, b] = [await start("a"), await start("b")];
    console.log(JSON.stringify([(await ask("a")) === a.pid, (await ask("b")) === b.pid]));
    for (const child of [a, b]) { child.kill("SIGKILL"); await child.exited; }
  `;
  const mount = 'for side in a b; do mkdir "$0/$side"; mount -t tmpfs none "$0/$side"; done; exec "$@"';
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", mount, folder, process.execPath, "-e", script]);
  rmSync(folder, { recursive: true });
  expect(child.stderr.toString()).toBe("");
  expect(child.stdout.toString()).toBe("[true,true]\n");
});
