// The host's loader and libraries, in trees made of this machine's own files.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readElfNeeds } from "../../../../cli/install-cni/elf.ts";
import { findMissingLibraries } from "../../../../cli/install-cni/host-libraries.ts";
import { createFiles } from "../../../../host/files.ts";

const files = createFiles();
const executable = process.execPath;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "virtfn-root-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function needsOf(path: string): NonNullable<ReturnType<typeof readElfNeeds>> {
  const bytes = readFileSync(path);
  const needs = readElfNeeds((offset, length) => bytes.subarray(offset, offset + length));
  if (needs === undefined) throw new Error(`${path} is no ELF file`);
  return needs;
}

const { loader = "", libraries, versions } = needsOf(executable);

test("the needs of the running executable are those that make it start here", () => {
  expect(loader).toMatch(/^\/lib.*\/ld-linux/);
  expect(libraries).toContain("libc.so.6");
  expect(versions.get("libc.so.6")).toContain("GLIBC_2.17");
  expect(findMissingLibraries(files, executable, "/")).toEqual([]);
});

test("a script needs nothing that could be looked up", () => {
  expect(findMissingLibraries(files, import.meta.filename, root)).toEqual([]);
});

test("a host without the loader is named, with the loader's path", () => {
  expect(findMissingLibraries(files, executable, root)).toEqual([`the host has no ${loader}`]);
});

test("absolute links are followed inside the host's root, not into this machine", () => {
  mkdirSync(join(root, "usr/lib"), { recursive: true });
  symlinkSync(dirname(loader), join(root, "elsewhere"));
  mkdirSync(join(root, dirname(dirname(loader))), { recursive: true });
  symlinkSync("/usr/lib", join(root, dirname(loader)));
  expect(findMissingLibraries(files, executable, root)).toEqual([`the host has no ${loader}`]);
  cpSync(loader, join(root, "usr/lib", loader.slice(dirname(loader).length)), { dereference: true });
  const missing = findMissingLibraries(files, executable, root);
  expect(missing).toContain("the host has no libc.so.6");
  expect(missing).not.toContain(`the host has no ${loader}`);
});

test("links that go in circles end", () => {
  mkdirSync(join(root, dirname(loader)), { recursive: true });
  symlinkSync(loader, join(root, loader));
  expect(findMissingLibraries(files, executable, root)).toEqual([`the host has no ${loader}`]);
});

test("a C library that is too old is named with the symbol versions it lacks", () => {
  const folder = join(root, dirname(loader));
  mkdirSync(folder, { recursive: true });
  cpSync(loader, join(root, loader), { dereference: true });
  for (const library of libraries) cpSync(loader, join(folder, library), { dereference: true });
  const missing = findMissingLibraries(files, executable, root);
  expect(missing.find((sentence) => sentence.includes("libc.so.6"))).toContain("GLIBC_2.17");
});

test("a library that is cut short is named, wherever it ends", () => {
  const folder = join(root, dirname(loader));
  mkdirSync(folder, { recursive: true });
  cpSync(loader, join(root, loader), { dereference: true });
  const whole = readFileSync(loader);
  for (let length = 0; length < 4096; length += 97) {
    for (const library of libraries) writeFileSync(join(folder, library), whole.subarray(0, length));
    const missing = findMissingLibraries(files, executable, root);
    expect(missing.find((sentence) => sentence.includes("libc.so.6"))).toMatch(/has no GLIBC|is cut short/);
  }
});
