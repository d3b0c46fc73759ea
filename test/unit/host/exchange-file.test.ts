// Two writers of one file, of which only one is ours.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { findDisplaced, recoverDisplaced, replaceUnchanged } from "../../../host/exchange-file.ts";
import { createFiles } from "../../../host/files.ts";
import { createLibc } from "../../../host/libc.ts";

const libc = createLibc();
let folder: string;
let path: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "virtfn-exchange-"));
  path = join(folder, "list");
  fs.writeFileSync(path, "theirs");
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** What is in the file in the end, and whether ours got there, with `meddle` done before each exchange by its number. */
function replace(meddle: (turn: number) => void): readonly [boolean, string] {
  let turn = 0;
  const isOurs = replaceUnchanged(path, { before: "theirs", text: "ours", mode: 0o640 }, (a, b) => {
    turn += 1;
    meddle(turn);
    libc.exchange(a, b);
  });
  expect(fs.readdirSync(folder)).toEqual(["list"]);
  return [isOurs, fs.readFileSync(path, "utf8")];
}

function renameInto(text: string): void {
  fs.writeFileSync(join(folder, "theirs.new"), text);
  fs.renameSync(join(folder, "theirs.new"), path);
}

test("a file that is as it was read is replaced, with the mode", () => {
  expect(replace(() => {})).toEqual([true, "ours"]);
  expect(fs.statSync(path).mode & 0o777).toBe(0o640);
  expect(createFiles().replaceUnchanged(path, { before: "ours", text: "last", mode: 0o600 })).toBe(true);
  expect(fs.readFileSync(path, "utf8")).toBe("last");
});

test("what another program renamed or wrote there since it was read stays", () => {
  expect(replace((turn) => turn === 1 && renameInto("newer"))).toEqual([false, "newer"]);
  fs.writeFileSync(path, "theirs");
  expect(replace((turn) => turn === 1 && fs.writeFileSync(path, "newer"))).toEqual([false, "newer"]);
});

test("of several that came meanwhile the last one stays, also of one that removed the file", () => {
  expect(replace((turn) => turn < 4 && renameInto(`newer ${turn}`))).toEqual([false, "newer 3"]);
  fs.writeFileSync(path, "theirs");
  fs.rmSync(path);
  expect(createFiles().replaceUnchanged(path, { before: "theirs", text: "ours", mode: 0o600 })).toBe(false);
  expect(fs.readdirSync(folder)).toEqual([]);
});

/** The folder as a kill before, or right after, that exchange leaves it; what came before it is done by `meddle`. */
function kill(when: "before" | "after", turn: number, meddle: (turn: number) => void): void {
  const left = fs.mkdtempSync(join(tmpdir(), "virtfn-killed-"));
  const keep = (): void => fs.cpSync(folder, left, { recursive: true, preserveTimestamps: true });
  let now = 0;
  replaceUnchanged(path, { before: "theirs", text: "ours", mode: 0o640 }, (a, b) => {
    now += 1;
    meddle(now);
    if (now === turn && when === "before") keep();
    libc.exchange(a, b);
    if (now === turn && when === "after") keep();
  });
  fs.rmSync(folder, { recursive: true });
  fs.renameSync(left, folder);
}

const killBefore = (turn: number, meddle: (turn: number) => void): void => kill("before", turn, meddle);

test("what cannot be looked at for it is an error of ours that names the file", () => {
  fs.rmSync(path);
  fs.mkdirSync(path);
  fs.writeFileSync(join(folder, ".list.0123456789abcdef.12.0a1b2c3d.tmp"), "newer");
  expect(() => createFiles().recoverDisplaced(path)).toThrow(SystemCallError);
});

test("killed between its two exchanges, the other program's file is put back by the next look or write", () => {
  killBefore(2, (turn) => turn === 1 && renameInto("newer"));
  expect(fs.readFileSync(path, "utf8")).toBe("ours");
  expect(recoverDisplaced(path)).toBe(true);
  expect([fs.readdirSync(folder), fs.readFileSync(path, "utf8")]).toEqual([["list"], "newer"]);
  expect(recoverDisplaced(path)).toBe(false);
  fs.writeFileSync(path, "theirs");
  killBefore(2, (turn) => turn === 1 && renameInto("newest"));
  expect(replace(() => {})).toEqual([false, "newest"]);
});

const kills = [1, 2, 3, 4, 5].flatMap((turn) => [
  { when: "after" as const, turn, newest: turn },
  { when: "before" as const, turn: turn + 1, newest: turn },
]);

test.each(kills)(
  "killed $when exchange $turn while another program keeps writing, its newest file is put back",
  ({ when, turn, newest }) => {
    kill(when, turn, (now) => now <= newest && renameInto(`newer ${now}`));
    const left = fs.readdirSync(folder).filter((name) => name !== "list");
    expect(left.map((name) => fs.readFileSync(join(folder, name), "utf8"))).toEqual([`newer ${newest}`]);
    expect(findDisplaced(path)).toEqual(left.map((name) => join(folder, name)));
    expect(recoverDisplaced(path)).toBe(true);
    expect([fs.readdirSync(folder), fs.readFileSync(path, "utf8")]).toEqual([["list"], `newer ${newest}`]);
  },
);

test.each(kills)(
  "killed $when exchange $turn, what another program wrote after that stays",
  ({ when, turn, newest }) => {
    kill(when, turn, (now) => now <= newest && renameInto(`newer ${now}`));
    renameInto("written after the kill");
    expect(findDisplaced(path)).toEqual([]);
    expect([recoverDisplaced(path), fs.readFileSync(path, "utf8")]).toEqual([
      false,
      "written after the kill",
    ]);
  },
);

test.each([2, 3, 4])(
  "killed right after exchange %i, which put the last one back, nothing is left to do",
  (turn) => {
    kill("after", turn, (now) => now < turn && renameInto(`newer ${now}`));
    expect([recoverDisplaced(path), fs.readFileSync(path, "utf8")]).toEqual([false, `newer ${turn - 1}`]);
  },
);

test("a file that was killed half written is no other program's, even when what it was to be is there", () => {
  fs.writeFileSync(join(folder, ".list.7.0123abcd.tmp"), "ou");
  for (const present of ["theirs", "newer", "ours"]) {
    fs.writeFileSync(path, present);
    expect([recoverDisplaced(path), fs.readFileSync(path, "utf8")]).toEqual([false, present]);
  }
});

test("no file has the mark of a whole one before it is whole", () => {
  const names: (readonly string[])[] = [];
  replace(() => names.push(fs.readdirSync(folder).toSorted()));
  expect(names).toEqual([[expect.stringMatching(/^\.list\.[0-9a-f]{16}\.\d+\.[0-9a-f]{8}\.tmp$/), "list"]]);
  const fails = (): void =>
    void replaceUnchanged(path, { before: "ours", text: "last", mode: 0o444 }, () => {
      throw new SystemCallError("renameat2", path, "EIO");
    });
  expect(fails).toThrow("EIO");
  expect([fs.readdirSync(folder), fs.readFileSync(path, "utf8")]).toEqual([["list"], "ours"]);
});

test("what was read and what was to be written is never put back, and nothing over what came after the kill", () => {
  killBefore(1, () => {});
  expect([recoverDisplaced(path), fs.readFileSync(path, "utf8")]).toEqual([false, "theirs"]);
  for (const name of fs.readdirSync(folder).filter((one) => one !== "list")) fs.rmSync(join(folder, name));
  killBefore(2, (turn) => turn === 1 && renameInto("newer"));
  renameInto("written after the kill");
  expect([recoverDisplaced(path), fs.readFileSync(path, "utf8")]).toEqual([false, "written after the kill"]);
  fs.rmSync(path);
  expect([recoverDisplaced(path), fs.existsSync(path)]).toEqual([false, false]);
});

test("when the way back fails the other program's file is where it belongs, with the error", () => {
  const fail = (turn: number): void => {
    if (turn === 1) renameInto("newer");
    else throw new SystemCallError("renameat2", path, "EIO");
  };
  expect(() => replace(fail)).toThrow("EIO");
  expect([fs.readdirSync(folder), fs.readFileSync(path, "utf8")]).toEqual([["list"], "newer"]);
});

test("a writer that had the file open writes into what is there in the end", () => {
  const fd = fs.openSync(path, "w");
  expect(replace(() => {})).toEqual([false, ""]);
  fs.writeSync(fd, "newer");
  fs.closeSync(fd);
  expect(fs.readFileSync(path, "utf8")).toBe("newer");
});

test("where the file system cannot exchange, a file that is as it was is replaced, and another one stays", () => {
  const refuse = (): never => {
    throw new SystemCallError("renameat2", path, "EINVAL");
  };
  const change = { before: "theirs", text: "ours", mode: 0o600 };
  expect(replaceUnchanged(path, { ...change, before: "older" }, refuse)).toBe(false);
  expect(fs.readFileSync(path, "utf8")).toBe("theirs");
  expect(replaceUnchanged(path, change, refuse)).toBe(true);
  expect([fs.readdirSync(folder), fs.readFileSync(path, "utf8")]).toEqual([["list"], "ours"]);
});
