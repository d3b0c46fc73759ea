// What the pages and manifests have people call: commands that `virtfn` has, with flags that those have.

import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const pages = ["README.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md", { cwd: root })];
const manifests = globSync("deploy/**/*.yaml", { cwd: root });

const help = (...command: readonly string[]): string =>
  execFileSync(join(root, "dist/virtfn"), [...command, "--help"], { encoding: "utf8" });
const commands = [...help().matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => String(name));

interface Call {
  readonly file: string;
  readonly command: string;
  readonly flags: readonly string[];
}

/** In pages: "virtfn COMMAND ... --flag" up to the end of the code; in manifests: a list of arguments that begins with a command. */
function listCalls(file: string): readonly Call[] {
  const text = readFileSync(join(root, file), "utf8");
  const lines = file.endsWith(".md")
    ? [...text.matchAll(/(?<![\w/-])virtfn ([a-z][a-z-]+)([^\n`|;#]*)/g)]
    : [...text.matchAll(/args:\s+(?:\[|- )([a-z-]+)\b((?:\n +- .*)*)/g)];
  return lines.map(([, command = "", rest = ""]) => ({
    file,
    command,
    flags: [...rest.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag),
  }));
}

const calls = [...pages, ...manifests].flatMap(listCalls).filter(({ command }) => commands.includes(command));

test("there are calls of each command that people run", () => {
  expect(commands.length).toBeGreaterThan(8);
  expect(commands.filter((command) => !calls.some((call) => call.command === command))).toEqual([]);
});

test.each(commands)("every flag of %s that is named exists", (command) => {
  const known = new Set(help(command).match(/--[a-z][a-z-]*/g));
  const wrong = calls
    .filter((call) => call.command === command)
    .flatMap(({ file, flags }) => flags.map((flag) => ({ file, flag })))
    .filter(({ flag }) => !known.has(flag));
  expect(wrong).toEqual([]);
});
