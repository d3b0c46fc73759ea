// Both executables run as root in folders that others can write: nothing there may become code or environment.

import { execFile, spawnSync } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

import { compileExecutables, type Executables } from "../../support/executables.ts";

let executables: Executables;
let folder: string;

beforeAll(async () => {
  executables = await compileExecutables({ "virtfn-cni": "cni/main.ts", virtfn: "cli/main.ts" });
  folder = await mkdtemp(join(tmpdir(), "virtfn-hostile-"));
  await writeFile(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  await writeFile(join(folder, "preload.ts"), 'await Bun.write("pwned", "by preload");\n');
  await writeFile(join(folder, ".env"), "CNI_COMMAND=VERSION\nHOSTILE=1\n");
  await chmod(folder, 0o777);
}, 120_000);

afterAll(async () => {
  await executables[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test("virtfn-cni takes neither bunfig.toml nor .env of the folder it is started in", async () => {
  const run = spawnSync(executables.path("virtfn-cni"), {
    cwd: folder,
    env: { PATH: "/usr/bin" },
    input: "{}",
  });
  expect(JSON.parse(run.stdout.toString())).toMatchObject({
    code: 4,
    msg: expect.stringContaining("CNI_COMMAND") as string,
  });
  expect(run.status).toBe(1);
  expect(await readdir(folder)).not.toContain("pwned");
});

test("virtfn takes neither", async () => {
  const run = spawnSync(executables.path("virtfn"), ["--version"], {
    cwd: folder,
    env: { PATH: "/usr/bin" },
  });
  expect(run.signal).toBeNull();
  expect(await readdir(folder)).not.toContain("pwned");
});

test("an executable built without those flags does take them: the folder is hostile indeed", async () => {
  const entry = join(executables.folder, "plain.ts");
  const outfile = executables.path("plain");
  await writeFile(entry, 'console.log(process.env["HOSTILE"]);\n');
  await promisify(execFile)(process.execPath, ["build", "--compile", `--outfile=${outfile}`, entry]);
  const run = spawnSync(outfile, { cwd: folder, env: { PATH: "/usr/bin" } });
  expect(run.stdout.toString().trim()).toBe("1");
  expect(await readdir(folder)).toContain("pwned");
  await rm(join(folder, "pwned"));
});
