// Files where the kernel refuses (folders that are read-only or full, no inotify instance left), and files that must last.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "virtfn-refusing-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes 300,000 bytes in both ways into `folder`, a tmpfs mounted with `options`: what was thrown, and what is in the folder then. */
function writeBoth(options: string): string {
  const script = `
    import { readdirSync } from "node:fs";
    import { createFiles } from "${import.meta.resolve("../../../host/files.ts")}";
    const files = createFiles();
    const text = "x".repeat(300_000);
    files.writeAtomic("${folder}-source", text);
    const acts = [
      () => files.writeAtomic("${folder}/record", text),
      () => files.copyFile("${folder}-source", "${folder}/program", 0o755),
    ];
    for (const act of acts) {
      try {
        act();
      } catch ({ code, message }) {
        console.log(code, message.replace(/[.]\\d+[.][0-9a-f]{8}[.]tmp/u, "").replace("${folder}/", ""));
      }
    }
    files.remove("${folder}-source");
    console.log(readdirSync("${folder}").join());
  `;
  const mount = `mount -t tmpfs -o ${options} none "$0" && exec "$@"`;
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", mount, folder, process.execPath, "-e", script]);
  return `${child.stdout.toString()}${child.stderr.toString()}`;
}

describe("a folder that takes no file", () => {
  it("is named with the reason when it is read-only", () => {
    expect(writeBoth("ro")).toBe(
      "ERR_SYSTEM_CALL write(.record) failed: EROFS\nERR_SYSTEM_CALL write(.program) failed: EROFS\n\n",
    );
  });

  it("is named with the reason when the disk is full, and keeps no part of a file", () => {
    expect(writeBoth("size=100k")).toBe(
      "ERR_SYSTEM_CALL write(.record) failed: ENOSPC\nERR_SYSTEM_CALL write(.program) failed: ENOSPC\n\n",
    );
  });
});

describe("a node whose inotify instances are used up", () => {
  it("still tells what changes in a folder, until disposed", () => {
    const script = `
      import { renameSync, rmSync, writeFileSync } from "node:fs";
      import { createFiles } from "${import.meta.resolve("../../../host/files.ts")}";
      const files = createFiles();
      writeFileSync("${folder}/old", "");
      let next = Promise.withResolvers();
      const watching = files.watch("${folder}", ({ name }) => next.resolve(name));
      for (const act of [
        () => writeFileSync("${folder}/new", "1"),
        () => files.writeAtomic("${folder}/new", "2"),
        () => rmSync("${folder}/old"),
      ]) {
        act();
        console.log(await next.promise);
        next = Promise.withResolvers();
      }
      watching[Symbol.dispose]();
    `;
    const limit = "echo 0 > /proc/sys/user/max_inotify_instances";
    const child = Bun.spawnSync([
      "unshare",
      "-Ur",
      "sh",
      "-c",
      `${limit}; exec "$@"`,
      "sh",
      process.execPath,
      "-e",
      script,
    ]);
    expect(child.stderr.toString()).toBe("");
    expect(child.stdout.toString()).toBe("new\nnew\nold\n");
  });
});

describe("a file that must outlive a power cut", () => {
  it("is on the disk before it takes the other's place, and its folder's entry after that", ({ skip }) => {
    if (Bun.which("strace") === null) return skip("no strace to see the system calls with");
    const script = `
      import { createFiles } from "${import.meta.resolve("../../../host/files.ts")}";
      createFiles().writeDurable("${folder}/list", "text", 0o644);
    `;
    const calls = join(folder, "calls");
    const trace = ["strace", "-f", "-y", "-qq", "-e", "trace=fsync,rename,renameat,renameat2", "-o", calls];
    const child = Bun.spawnSync([...trace, process.execPath, "-e", script]);
    expect(child.stderr.toString()).toBe("");
    const lines = readFileSync(calls, "utf8")
      .split("\n")
      .filter((line) => line.includes(folder));
    expect(
      lines.map((line) => /\b(fsync\(\d+<[^>]*\.tmp>|rename|fsync\(\d+<[^>]*>)/.exec(line)?.[1]),
    ).toEqual([
      expect.stringMatching(/^fsync.*\.list\..*\.tmp>$/),
      "rename",
      expect.stringMatching(new RegExp(`^fsync\\(\\d+<${folder}>$`)),
    ]);
    expect(readFileSync(join(folder, "list"), "utf8")).toBe("text");
  });
});
