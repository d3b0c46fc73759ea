// A log file whose name comes from a configuration: appended to only where it is a file of our own below the log folder.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { appendLog } from "../../../host/append-log.ts";
import { isLogPath } from "../../../host/paths.ts";

let root: string;
let folder: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "virtfn-log-"));
  folder = join(root, "log");
  fs.mkdirSync(join(folder, "virtfn"), { recursive: true });
});
afterEach(() => fs.rmSync(root, { recursive: true }));

test("the file is made with mode 0600 and appended to, in a folder below as well", () => {
  appendLog(folder, "/var/log/virtfn/cni.log", "a\n");
  appendLog(folder, "/var/log/virtfn/cni.log", "b\n");
  const path = join(folder, "virtfn/cni.log");
  expect(fs.readFileSync(path, "utf8")).toBe("a\nb\n");
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
});

test.each<[string, (path: string) => void, RegExp]>([
  ["a link", (path) => fs.symlinkSync(join(root, "x"), path), /ELOOP/],
  ["a folder", (path) => fs.mkdirSync(path), /EISDIR/],
  ["a pipe that nobody reads", (path) => execFileSync("mkfifo", ["-m", "0600", path]), /ENXIO/],
  ["a file that others may read", (path) => fs.writeFileSync(path, "", { mode: 0o644 }), /mode 0644/],
  [
    "a second name of another file",
    (path) => {
      fs.writeFileSync(join(root, "x"), "", { mode: 0o600 });
      fs.linkSync(join(root, "x"), path);
    },
    /2 names/,
  ],
])("%s is refused", (_what, make, problem) => {
  make(join(folder, "cni.log"));
  expect(() => appendLog(folder, "/var/log/cni.log", "a\n")).toThrow(problem);
  expect(fs.existsSync(join(root, "x")) ? fs.readFileSync(join(root, "x"), "utf8") : "").toBe("");
});

test("a folder that leads out of /var/log is refused, the log folder itself may be a link", () => {
  fs.mkdirSync(join(root, "etc"));
  fs.symlinkSync(join(root, "etc"), join(folder, "out"));
  expect(() => appendLog(folder, "/var/log/out/cni.log", "a\n")).toThrow(/out of \/var\/log/);
  expect(fs.readdirSync(join(root, "etc"))).toEqual([]);
  fs.symlinkSync(folder, join(root, "link"));
  appendLog(join(root, "link"), "/var/log/cni.log", "a\n");
  expect(fs.readFileSync(join(folder, "cni.log"), "utf8")).toBe("a\n");
});

test("a path elsewhere is refused", () => {
  expect(() => appendLog(folder, "/var/log/../x", "a\n")).toThrow("expected a file below /var/log");
});

test.each([
  ["/var/log/a", true],
  ["/var/log/a/b.log", true],
  ["/var/log", false],
  ["/var/log/", false],
  ["/var/log/../x", false],
  ["/var/log/a//b", false],
  ["/var/log/./a", false],
  ["/var/logs/a", false],
  ["var/log/a", false],
  ["/var/log/a\0b", false],
  ["/tmp/a", false],
])("%j is a log path: %s", (path, expected) => {
  expect(isLogPath(path)).toBe(expected);
});
