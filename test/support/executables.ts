// The executables as they ship, compiled once per test file into a folder of its own.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { compile } from "../run/build.ts";

const root = resolve(import.meta.dirname, "../..");

/** A folder with executables by name; removed when disposed. */
export interface Executables extends AsyncDisposable {
  readonly folder: string;
  readonly path: (name: string) => string;
}

/** Compiles `entries` (paths in the repository, by the executable's name) with the flags of what ships; a few seconds each. */
export async function compileExecutables(entries: Readonly<Record<string, string>>): Promise<Executables> {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-executables-"));
  for (const [name, entry] of Object.entries(entries))
    await compile(resolve(root, entry), join(folder, name), entry.startsWith("cli/") ? "daemon" : "call");
  return {
    folder,
    path: (name) => join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
