// Container images of one layer, written as docker archives: what buildah and containerd both read.
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { execa } from "execa";

export interface ImageRecipe {
  /** Name with tag, such as localhost/pause:1. */
  readonly name: string;
  /** Folder that becomes the root of the image. */
  readonly root: string;
  readonly command: readonly string[];
}

/**
 * Writes the archive `out`; owner of all files is 0:0 and their time is the epoch, so equal folders give equal archives.
 * Format: moby image specification 1.2 (manifest.json, config, layer tar).
 */
export async function writeImageArchive(recipe: ImageRecipe, out: string): Promise<void> {
  const parts = `${out}.parts`;
  await rm(parts, { recursive: true, force: true });
  await mkdir(parts, { recursive: true });
  try {
    await tar(recipe.root, join(parts, "layer.tar"), ["."]);
    const layer = await sha256(join(parts, "layer.tar"));
    const config = JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: { Cmd: recipe.command, Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
      history: [{ created: "1970-01-01T00:00:00Z" }],
    });
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    await writeFile(join(parts, configName), config);
    const manifest = [{ Config: configName, RepoTags: [recipe.name], Layers: ["layer.tar"] }];
    await writeFile(join(parts, "manifest.json"), JSON.stringify(manifest));
    await tar(parts, `${out}.new`, ["manifest.json", configName, "layer.tar"]);
    await rename(`${out}.new`, out);
  } finally {
    await rm(parts, { recursive: true, force: true });
  }
}

async function tar(folder: string, out: string, names: readonly string[]): Promise<void> {
  const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await execa("tar", [...same, "-C", folder, "-cf", out, ...names]);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
