// The cache of artefacts: made once, whole or not at all, the old ones removed.
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Cache, openCache } from "../../../lab/prepare/cache.ts";

let root: string;
let cache: Cache;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "virtfn-cache-"));
  cache = openCache(root);
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

function recipe(input: string, made: string[] = []) {
  return {
    name: "thing",
    inputs: [input],
    make: async (folder: string) => {
      made.push(input);
      await writeFile(join(folder, "content"), input);
    },
  };
}

async function listThings(): Promise<readonly string[]> {
  return (await readdir(root)).filter((name) => name !== "locks");
}

test("an artefact is made once for the same inputs and anew for others", async () => {
  const made: string[] = [];
  const first = await cache.keep(recipe("a", made));
  expect(await cache.keep(recipe("a", made))).toBe(first);
  const second = await cache.keep(recipe("b", made));
  expect(second).not.toBe(first);
  expect(made).toEqual(["a", "b"]);
  expect(await readFile(join(second, "content"), "utf8")).toBe("b");
});

test("two that want the same artefact at once get one that was made once", async () => {
  const made: string[] = [];
  const [one, other] = await Promise.all([
    cache.keep(recipe("a", made)),
    openCache(root).keep(recipe("a", made)),
  ]);
  expect(one).toBe(other);
  expect(made).toEqual(["a"]);
});

test("a maker that fails leaves nothing, and the next one starts from an empty folder", async () => {
  const failing = {
    ...recipe("a"),
    make: async (folder: string) => {
      await writeFile(join(folder, "half"), "");
      throw new Error("no disk space");
    },
  };
  await expect(cache.keep(failing)).rejects.toThrow("no disk space");
  expect(await listThings()).toEqual([]);
  expect(await readdir(await cache.keep(recipe("a")))).toEqual(["content"]);
});

test("what a killed maker left behind is removed, and nobody else's", async () => {
  await mkdir(join(root, ".thing-Xk81aZ"));
  await mkdir(join(root, ".thing-other-Xk81aZ"));
  const folder = await cache.keep(recipe("a"));
  expect(await listThings()).toEqual([".thing-other-Xk81aZ", folder.slice(root.length + 1)]);
});

test("of each name the three that were used last are kept", async () => {
  const folders = [];
  for (const [index, input] of ["a", "b", "c"].entries()) {
    const folder = await cache.keep(recipe(input));
    await utimes(folder, 1000 + index, 1000 + index);
    folders.push(folder);
  }
  await cache.keep(recipe("a"));
  const fourth = await cache.keep(recipe("d"));
  const kept = [folders[0], folders[2], fourth].map((folder) => folder?.slice(root.length + 1));
  expect(new Set(await listThings())).toEqual(new Set(kept));
});
