// Artefacts in folders that are named by a hash of what makes them: made once, in a temporary folder, renamed when complete.
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { createClock } from "../../../host/clock.ts";
import { createLibc } from "../../../host/libc.ts";
import { createLocks } from "../../../host/lock.ts";

interface Recipe {
  /** Kind of artefact, first part of the folder's name. */
  readonly name: string;
  /** All that has a say in the result: texts, arguments, hashes of files, names of other artefacts' folders. */
  readonly inputs: readonly unknown[];
  /** Fills the empty folder. What it leaves running or mounted is its own fault. */
  make(folder: string): Promise<void>;
}

export interface Cache {
  readonly root: string;
  /** The artefact's folder, made now when it is not there. Waits while another process makes the same kind. */
  keep(recipe: Recipe): Promise<string>;
}

const makingTimeoutMs = 3_600_000;
// More than one, because a lab that runs with the one before must keep what it uses.
const keptPerName = 3;

/** Where the lab's artefacts lie: $XDG_CACHE_HOME/virtfn, ~/.cache/virtfn without it. */
export function cacheRoot(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "virtfn");
}

/** The cache in the folder `root`, which is made with the first artefact. */
export function openCache(root: string): Cache {
  const noFiles = { readText: (): undefined => undefined };
  const locks = createLocks({ libc: createLibc(), clock: createClock(noFiles) }, join(root, "locks"));
  return {
    root,
    async keep(recipe) {
      await mkdir(root, { recursive: true });
      const hash = createHash("sha256").update(JSON.stringify(recipe.inputs)).digest("hex").slice(0, 16);
      const folder = join(root, `${recipe.name}-${hash}`);
      if (await isThere(folder)) return await use(folder);
      using _lock = await locks.acquire(recipe.name, { timeoutMs: makingTimeoutMs });
      if (await isThere(folder)) return await use(folder);
      await removeUnfinished(root, recipe.name);
      await makeFolder(recipe, root, folder);
      await removeOld(root, recipe.name);
      return folder;
    },
  };
}

/** Whether the path exists. */
export async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** The time of a folder's last use decides which ones are removed. */
async function use(folder: string): Promise<string> {
  await utimes(folder, new Date(), new Date());
  return folder;
}

async function makeFolder(recipe: Recipe, root: string, folder: string): Promise<void> {
  const temporary = await mkdtemp(join(root, `.${recipe.name}-`));
  try {
    await chmod(temporary, 0o755);
    await recipe.make(temporary);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** What a killed run left behind; the caller holds the lock of the name, so nobody else is making one. */
async function removeUnfinished(root: string, name: string): Promise<void> {
  const left = (await readdir(root)).filter((entry) => isOf(entry, `.${name}`));
  for (const entry of left) await rm(join(root, entry), { recursive: true, force: true });
}

async function removeOld(root: string, name: string): Promise<void> {
  const folders = (await readdir(root))
    .filter((entry) => isOf(entry, name))
    .map((entry) => join(root, entry));
  const aged = await Promise.all(
    folders.map(async (folder) => ({ folder, usedMs: (await stat(folder)).mtimeMs })),
  );
  const old = aged.toSorted((a, b) => b.usedMs - a.usedMs).slice(keptPerName);
  for (const { folder } of old) await rm(folder, { recursive: true, force: true });
}

/** Folders end in a hash or in the random part of mkdtemp, neither of which has a hyphen. */
function isOf(entry: string, name: string): boolean {
  return basename(entry).replace(/-[^-]*$/, "") === name;
}
