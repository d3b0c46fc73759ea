// One file, watched wherever its folder is: there, missing, made anew, without inotify.

import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { createFiles, type Files } from "../../../host/files.ts";
import { pollFolder } from "../../../host/poll-folder.ts";
import { watchFile } from "../../../host/watch-file.ts";
import { watchFolder } from "../../../host/watch-folder.ts";
import { waitFor } from "../../support/wait-for.ts";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync("/tmp/virtfn-watch-");
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Watches run/virtfn/pools.json below the folder; `told` ends when there is news since the call before. */
function open(watch: Files["watch"] = watchFolder) {
  const path = join(folder, "run/virtfn/pools.json");
  let [changes, seen] = [0, 0];
  const watching = watchFile({ files: { ...createFiles(), watch } }, path, () => (changes += 1));
  return {
    path,
    changes: () => changes,
    told: async () => {
      await waitFor("a change", () => changes > seen);
      // Bun tells each twice.
      await Bun.sleep(20);
      seen = changes;
      return fs.existsSync(path) ? "there" : "gone";
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

function write(path: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, "{}");
}

test.each([
  ["inotify", watchFolder],
  ["looking", pollFolder],
] as const)("a file whose folder comes later is told, and its changes, by %s", async (_, watch) => {
  using file = open(watch);
  write(file.path);
  expect(await file.told()).toBe("there");
  fs.appendFileSync(file.path, " ");
  expect(await file.told()).toBe("there");
  fs.rmSync(file.path);
  expect(await file.told()).toBe("gone");
});

test.each([
  ["run/virtfn", "inotify", watchFolder],
  ["run", "inotify", watchFolder],
  ["run", "looking", pollFolder],
] as const)(
  "one whose folder %s is removed and made anew is told of both, by %s",
  async (removed, _, watch) => {
    write(join(folder, "run/virtfn/pools.json"));
    using file = open(watch);
    fs.rmSync(join(folder, removed), { recursive: true });
    expect(await file.told()).toBe("gone");
    write(file.path);
    expect(await file.told()).toBe("there");
  },
);

test("a folder that is made anew at once is the one that is watched", async () => {
  write(join(folder, "run/virtfn/pools.json"));
  using file = open();
  fs.rmSync(join(folder, "run"), { recursive: true });
  write(file.path);
  expect(await file.told()).toBe("there");
  fs.appendFileSync(file.path, " ");
  expect(await file.told()).toBe("there");
});

test("each folder on the way may come on its own", async () => {
  fs.rmdirSync(folder);
  using file = open();
  for (const path of [folder, join(folder, "run")]) {
    fs.mkdirSync(path);
    await Bun.sleep(20);
    expect(file.changes()).toBe(0);
  }
  fs.mkdirSync(dirname(file.path));
  await waitFor("the folder", () => file.changes() === 1);
  fs.writeFileSync(file.path, "{}");
  expect(await file.told()).toBe("there");
});

test("what else is in its folder is not told", async () => {
  write(join(folder, "run/virtfn/pools.json"));
  using file = open();
  write(join(folder, "run/virtfn/.pools.json.1"));
  write(join(folder, "run/other"));
  fs.appendFileSync(file.path, " ");
  expect(await file.told()).toBe("there");
  expect(file.changes()).toBeLessThanOrEqual(2);
});

test("nothing is told after the end, nor of what cannot be watched", async () => {
  const ended = open();
  ended[Symbol.dispose]();
  using refused = open((path) => {
    throw new SystemCallError("inotify_add_watch", path, "EACCES");
  });
  write(ended.path);
  await Bun.sleep(50);
  expect([ended.changes(), refused.changes()]).toEqual([0, 0]);
});
