// Image archives: what is in them, and that equal folders give equal archives.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeImageArchive } from "../../../lab/prepare/image-archive.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "virtfn-image-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function writeRoot(name: string): Promise<string> {
  const root = join(folder, name);
  await mkdir(root);
  await writeFile(join(root, "pause"), "program", { mode: 0o755 });
  return root;
}

test("an image's configuration names the hash of its one layer", async () => {
  const out = join(folder, "image.tar");
  const root = await writeRoot("root");
  await writeImageArchive({ name: "localhost/pause:1", root, command: ["/pause"] }, out);
  const unpack = async (name: string) =>
    (await execa("tar", ["-xOf", out, name], { encoding: "buffer" })).stdout;
  const [image] = JSON.parse(Buffer.from(await unpack("manifest.json")).toString());
  expect(image.RepoTags).toEqual(["localhost/pause:1"]);
  const config = await unpack(image.Config);
  expect(image.Config).toBe(`${createHash("sha256").update(config).digest("hex")}.json`);
  const { rootfs, config: run } = JSON.parse(Buffer.from(config).toString());
  const layer = createHash("sha256")
    .update(await unpack(image.Layers[0]))
    .digest("hex");
  expect(rootfs.diff_ids).toEqual([`sha256:${layer}`]);
  expect(run.Cmd).toEqual(["/pause"]);
});

test("equal folders give equal archives, whenever they are written", async () => {
  const archives = [];
  for (const name of ["one", "two"]) {
    const out = join(folder, `${name}.tar`);
    await writeImageArchive({ name: "localhost/pause:1", root: await writeRoot(name), command: [] }, out);
    archives.push(await readFile(out));
  }
  expect(archives[0]?.equals(archives[1] ?? Buffer.alloc(0))).toBe(true);
});
