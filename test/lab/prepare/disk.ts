// The node's disk: images imported by the guest's own containerd, on this machine, and everything packed into one ext4 file.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { artefactName } from "./artefact-name.ts";
import { hashTree } from "./hash-files.ts";
import { inStep, type Workshop } from "./workshop.ts";

export interface DiskParts {
  readonly guestRoot: string;
  readonly nodeFiles: string;
  /** Archives that seldom change: imported once, copied for each disk. */
  readonly baseImages: readonly string[];
  readonly productImage?: string | undefined;
}

const size = "6G";

/** Path of the disk. With a new product image it takes as long as one import (2 s) and mke2fs (3 s). */
export async function provideDisk(workshop: Workshop, parts: DiskParts): Promise<string> {
  const images = parts.productImage === undefined ? [] : [parts.productImage];
  const baseState = await provideBaseState(workshop, parts);
  const folder = await workshop.cache.keep({
    name: "disk",
    inputs: [
      ...[parts.guestRoot, parts.nodeFiles, baseState, ...images].map(artefactName),
      await hashTree(workshop.guest, ["import-images.sh", "pack-disk.sh"]),
      size,
    ],
    make: (target) =>
      inStep(workshop, images.length === 0 ? "disk" : "disk with the product image", async () => {
        const script = join(workshop.guest, "pack-disk.sh");
        const out = join(target, "root.ext4");
        await inMountFolder(target, (mounts) =>
          workshop.runContained("sh", [
            script,
            mounts,
            parts.nodeFiles,
            parts.guestRoot,
            baseState,
            size,
            out,
            ...images,
          ]),
        );
      }),
  });
  return join(folder, "root.ext4");
}

/** containerd's state folder with the base images in it. */
async function provideBaseState(workshop: Workshop, parts: DiskParts): Promise<string> {
  const folder = await workshop.cache.keep({
    name: "containerd-state",
    inputs: [
      ...[parts.guestRoot, ...parts.baseImages].map(artefactName),
      await hashTree(workshop.guest, ["import-images.sh"]),
    ],
    make: (target) =>
      inStep(workshop, "images imported into containerd", async () => {
        const state = join(target, "state");
        await mkdir(state, { mode: 0o711 });
        const script = join(workshop.guest, "import-images.sh");
        await inMountFolder(target, (mounts) =>
          workshop.runContained("sh", [
            script,
            mounts,
            parts.nodeFiles,
            parts.guestRoot,
            state,
            ...parts.baseImages,
          ]),
        );
      }),
  });
  return join(folder, "state");
}

/** An empty folder for the mounts of `run`, which only its own mount namespace sees. */
async function inMountFolder(target: string, run: (mounts: string) => Promise<unknown>): Promise<void> {
  const mounts = join(target, "mounts");
  await mkdir(mounts);
  await run(mounts);
  await rm(mounts, { recursive: true });
}
