// Benches that need no compilation first: the figures are the one thing on stdout, one JSON object, which --out keeps as a file.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

test.each([
  ["placement", ["--events", "3"]],
  ["metrics", ["--vfs", "4", "--rounds", "1"]],
])("bench:%s", async (name, args) => {
  const out = mkdtempSync(join(tmpdir(), "virtfn-figures-"));
  try {
    const entry = join(root, "test/bench", name, "main.ts");
    const child = Bun.spawn([process.execPath, entry, "--json", "--out", out, ...args], {
      cwd: root,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect({ exitCode: await child.exited, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^\{[^\n]+\}\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      what: expect.any(String),
      machine: { cpus: expect.any(Number) },
    });
    expect(readFileSync(join(out, `${name}.json`), "utf8")).toBe(stdout);
    expect(stderr).toContain("goal");
  } finally {
    rmSync(out, { recursive: true });
  }
});
