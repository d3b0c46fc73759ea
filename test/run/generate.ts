// `npm run generate`: TypeScript from kubelet/proto into kubelet/gen, by buf; with --check it only tells whether the committed output is stale.
import { execa } from "execa";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const committedFolder = "kubelet/gen";

/** Names of files in kubelet/gen that differ from what the protos say now, missing and superfluous ones included. */
export async function findStale(fresh: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const committed = await readFolder(committedFolder);
  const names = new Set([...fresh.keys(), ...committed.keys()]);
  return [...names].filter((name) => fresh.get(name) !== committed.get(name)).toSorted();
}

async function generate(): Promise<ReadonlyMap<string, string>> {
  const out = await mkdtemp(join(tmpdir(), "virtfn-generate-"));
  try {
    const args = ["generate", "kubelet/proto", "--template", "kubelet/buf.gen.yaml", "--output", out];
    await execa("node_modules/.bin/buf", args, { stderr: "inherit" });
    return await readFolder(join(out, committedFolder));
  } finally {
    await rm(out, { recursive: true });
  }
}

async function readFolder(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch(() => []);
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const);
  return new Map(await Promise.all(texts));
}

if (import.meta.main) {
  const fresh = await generate();
  const stale = await findStale(fresh);
  if (process.argv.includes("--check")) {
    for (const name of stale)
      console.error(`${committedFolder}/${name} is stale: run \`npm run generate\` and commit it`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const name of stale) {
      const text = fresh.get(name);
      const path = join(committedFolder, name);
      await (text === undefined ? rm(path) : writeFile(path, text));
      console.log(`${text === undefined ? "removed" : "wrote"} ${path}`);
    }
  }
}
