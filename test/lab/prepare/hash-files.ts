// Hashes of files and folders, as inputs of artefacts' names.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";

/** SHA-256 of one file's content, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await addContent(hash, path);
  return hash.digest("hex");
}

/** SHA-256 over names, execute bits and contents of files, and of all files of folders, below `root`; whatever order they are given in. */
export async function hashTree(root: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const files = (await Promise.all(names.map((name) => listFiles(join(root, name))))).flat();
  for (const file of files.toSorted()) {
    const isExecutable = ((await stat(file)).mode & 0o100) !== 0;
    hash.update(`\0${relative(root, file)}\0${isExecutable ? "x" : "-"}\0`);
    await addContent(hash, file);
  }
  return hash.digest("hex");
}

async function listFiles(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function addContent(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
}
