// Reading by libc alone: as node:fs does it, or "not there".

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";

import { createClock } from "../../../host/clock.ts";
import { createFiles } from "../../../host/files.ts";
import { createNodeReader } from "../../../host/node-reader.ts";
import { createPaths } from "../../../host/paths.ts";

const folder = fs.mkdtempSync(join(tmpdir(), "virtfn-reader-"));
const path = join(folder, "file");

function readText(name: string): string | undefined {
  return createNodeReader().files.readText(name);
}

/** What is open in the folder; other test files are threads of the same process. */
function listOpen(): readonly string[] {
  return fs.readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(folder) ? [target] : [];
    } catch {
      return [];
    }
  });
}

afterEach(() => {
  fs.rmSync(folder, { recursive: true });
  fs.mkdirSync(folder);
});

test.each(["", "a\n", "\u{feff}{}", "ü€𝄞".repeat(40_000), `${"x".repeat(65_535)}€`])(
  "a text is read whole: %#",
  (text) => {
    fs.writeFileSync(path, text);
    expect(readText(path)).toBe(text);
  },
);

test("bytes that are no UTF-8 read as by node:fs", () => {
  fs.writeFileSync(path, Uint8Array.of(0x61, 0xff, 0xe2, 0x82));
  expect(readText(path)).toBe(createFiles().readText(path));
});

test("what is no file, is missing, or is beyond measure is not there; nothing is waited for", () => {
  expect(readText(path)).toBeUndefined();
  expect(readText(folder)).toBeUndefined();
  fs.writeFileSync(path, "");
  expect(readText(`${path}/below`)).toBeUndefined();
  fs.truncateSync(path, 100 << 20);
  expect(readText(path)).toBeUndefined();
  execFileSync("mkfifo", [join(folder, "pipe")]);
  expect(readText(join(folder, "pipe"))).toBeUndefined();
  expect(readText("/dev/zero")).toBeUndefined();
  expect(listOpen()).toEqual([]);
});

test("stat tells kinds as node:fs does", async () => {
  const socket = join(folder, "socket");
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  fs.symlinkSync(socket, join(folder, "link"));
  fs.writeFileSync(path, "");
  for (const name of [socket, join(folder, "link"), path, folder, "/dev/null", join(folder, "none")])
    expect([name, createNodeReader().files.stat(name)?.kind]).toEqual([name, createFiles().stat(name)?.kind]);
  server.close();
});

test("a folder is listed as node:fs does it, a large one and one that is empty too", () => {
  for (const name of [
    "b",
    "a",
    ".hidden",
    "x".repeat(255),
    ...Array.from({ length: 3_000 }, (_, at) => `file-${at}`),
  ])
    fs.writeFileSync(join(folder, name), "");
  expect(createNodeReader().files.list(folder)).toEqual(createFiles().list(folder));
  fs.mkdirSync(join(folder, "empty"));
  expect(createNodeReader().files.list(join(folder, "empty"))).toEqual([]);
  for (const name of ["none", "a"]) expect(createNodeReader().files.list(join(folder, name))).toBeUndefined();
  expect(listOpen()).toEqual([]);
});

test("of a name that is not ASCII the file can be read by what is listed", () => {
  fs.writeFileSync(join(folder, "ü€.conf"), "text");
  const [name = ""] = createNodeReader().files.list(folder) ?? [];
  expect(readText(`${folder}/${name}`)).toBe("text");
});

test("the boot id, and the paths below another root, are those of the whole host", () => {
  const files = createFiles();
  expect(createNodeReader().clock.bootId()).toBe(createClock(files, "/proc").bootId());
  for (const root of ["/", "/tree"]) expect(createPaths(root)).toMatchObject(createNodeReader(root).paths);
  expect(() => createNodeReader("/none").clock.bootId()).toThrow("boot id");
});
