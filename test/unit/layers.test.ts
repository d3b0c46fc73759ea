// Which folder may import which: the dependency test behind the lint rules, and a proof that each lint rule speaks.

import { execa } from "execa";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

const mayImport: Readonly<Record<string, readonly string[]>> = {
  host: ["host"],
  sriov: ["sriov", "host"],
  kubelet: ["kubelet", "host"],
  deviceplugin: ["deviceplugin", "kubelet", "sriov", "host"],
  cni: ["cni", "kubelet", "sriov", "host"],
  tuning: ["tuning", "kubelet", "sriov", "host"],
  cli: ["cli", "deviceplugin", "cni", "tuning", "kubelet", "sriov", "host"],
};

test("imports point down only", async () => {
  const { stdout } = await execa("git", ["ls-files", "-co", "--exclude-standard", "*.ts"], { cwd: root });
  const wrong: string[] = [];
  for (const file of stdout.split("\n")) {
    const folder = file.split("/", 1)[0] ?? "";
    const allowed = mayImport[folder];
    if (allowed === undefined) continue;
    const text = await readFile(join(root, file), "utf8").catch(() => "");
    for (const [, from] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = relative(root, resolve(root, dirname(file), from ?? "")).split("/", 1)[0] ?? "";
      if (!allowed.includes(target)) wrong.push(`${file} imports ${from}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("the environment is looked at by the entries of programs alone: no variable moves what they read", async () => {
  const { stdout } = await execa("git", ["ls-files", "-co", "--exclude-standard", "*.ts"], { cwd: root });
  const sources = stdout.split("\n").filter((file) => Object.hasOwn(mayImport, file.split("/", 1)[0] ?? ""));
  const readers: string[] = [];
  for (const file of sources) {
    const text = await readFile(join(root, file), "utf8").catch(() => "");
    if (/\b(?:process|Bun|import\.meta)\.env\b/.test(text)) readers.push(file);
  }
  // The CNI plugin's entry is in parts, of which each is loaded when it is needed.
  expect(readers.toSorted()).toEqual([
    "cli/main.ts",
    "cni/process.ts",
    "cni/whole-process.ts",
    "deviceplugin/main.ts",
  ]);
});

test.each([
  ["host/x.ts", "../sriov/y.ts", "host/ knows Linux and nothing above it"],
  ["sriov/x.ts", "node:fs", "sriov/ decides on plain data"],
  ["sriov/x.ts", "../kubelet/y.ts", "facts from the kubelet reach it as plain data"],
  ["kubelet/x.ts", "../sriov/y.ts", "kubelet/ speaks the kubelet's APIs"],
  ["deviceplugin/x.ts", "../cni/y.ts", "No program imports another"],
  ["cni/x.ts", "../tuning/y.ts", "No program imports another"],
  ["cni/x.ts", "pino", "at every pod's start"],
  ["tuning/x.ts", "../cni/y.ts", "No program imports another"],
  ["cli/x.ts", "../test/y.ts", "Nothing imports test/"],
])("the linter refuses that %s imports %s and says where the code belongs", async (file, from, message) => {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-layers-"));
  try {
    await cp(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    await mkdir(join(folder, dirname(file)));
    await writeFile(join(folder, file), `import { y } from "${from}";\nexport const x = y;\n`);
    const oxlint = join(root, "node_modules/.bin/oxlint");
    const run = await execa(oxlint, ["--disable-nested-config"], { cwd: folder, reject: false });
    expect(run.stdout.replaceAll(/\s+/g, " ")).toContain(message);
    expect(run.exitCode).not.toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});
