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
        const state = join(target, "containerd");
        await workshop.run("cp", ["--archive", "--reflink=auto", join(baseState), state]);
        if (images.length > 0) await importImages(workshop, { ...parts, state, target, archives: images });
        await packDisk(workshop, { ...parts, state, target });
        await rm(state, { recursive: true });
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
        await importImages(workshop, { ...parts, state, target, archives: parts.baseImages });
      }),
  });
  return join(folder, "state");
}

interface Work extends DiskParts {
  readonly state: string;
  readonly target: string;
}

async function importImages(
  workshop: Workshop,
  work: Work & { readonly archives: readonly string[] },
): Promise<void> {
  const script = join(workshop.guest, "import-images.sh");
  await inMountFolder(work, (mounts) =>
    workshop.runContained("sh", [
      script,
      mounts,
      work.nodeFiles,
      work.guestRoot,
      work.state,
      ...work.archives,
    ]),
  );
}

async function packDisk(workshop: Workshop, work: Work): Promise<void> {
  const script = join(workshop.guest, "pack-disk.sh");
  const out = join(work.target, "root.ext4");
  await inMountFolder(work, (mounts) =>
    workshop.runContained("sh", [script, mounts, work.nodeFiles, work.guestRoot, work.state, size, out]),
  );
}

/** An empty folder for the mounts of `run`, which only its own mount namespace sees. */
async function inMountFolder(work: Work, run: (mounts: string) => Promise<unknown>): Promise<void> {
  const mounts = join(work.target, "mounts");
  await mkdir(mounts);
  await run(mounts);
  await rm(mounts, { recursive: true });
}
