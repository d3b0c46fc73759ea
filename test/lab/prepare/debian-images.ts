// The lab's own small images: pause, the tools that test pods run, and the base of the product image.
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { compileStatic } from "./c-program.ts";
import { type DebianRecipe, makeDebianRoot } from "./debian-root.ts";
import { hashTree } from "./hash-files.ts";
import { writeImageArchive } from "./image-archive.ts";
import { inStep, type Workshop } from "./workshop.ts";

/** Image of the test pods: ip, ping, netperf, sh, busybox; `stay` ends at SIGTERM, `stay --ignore-term` does not. */
export const toolsImageName = "localhost/tools:1";

/** Name that containerd's configuration has as sandbox image. */
const pauseImageName = "localhost/pause:1";

export interface ToolsImage {
  readonly archive: string;
  /** A static busybox, of the image. */
  readonly busybox: string;
}

const baseRecipe: DebianRecipe = { variant: "extract", packages: ["libc6", "base-files", "coreutils"] };
const toolsRecipe: DebianRecipe = {
  variant: "extract",
  packages: [
    ...baseRecipe.packages,
    "busybox-static",
    "dash",
    "ethtool",
    "iproute2",
    "iputils-ping",
    "netperf",
  ],
};

/** Archive of the image that a pod's sandbox runs. */
export async function providePauseImage(workshop: Workshop): Promise<string> {
  const folder = await workshop.cache.keep({
    name: "pause-image",
    inputs: [pauseImageName, await hashTree(workshop.guest, ["pause.c"])],
    make: async (target) => {
      const root = join(target, "root");
      await mkdir(root);
      await compileStatic(workshop, "pause", join(root, "pause"));
      await writeImageArchive({ name: pauseImageName, root, command: ["/pause"] }, join(target, "image.tar"));
    },
  });
  return join(folder, "image.tar");
}

/** Archive of toolsImageName. */
export async function provideToolsImage(workshop: Workshop): Promise<ToolsImage> {
  const folder = await workshop.cache.keep({
    name: "tools-image",
    inputs: [toolsImageName, toolsRecipe.packages, await hashTree(workshop.guest, ["pause.c"])],
    make: (target) =>
      inStep(workshop, "tools image for test pods", async () => {
        const root = join(target, "root");
        await makeDebianRoot(workshop, toolsRecipe, root);
        await compileStatic(workshop, "pause", join(root, "usr/bin/stay"));
        await linkBusybox(workshop, root);
        await writeImageArchive({ name: toolsImageName, root, command: ["stay"] }, join(target, "image.tar"));
      }),
  });
  return { archive: join(folder, "image.tar"), busybox: join(folder, "root/usr/bin/busybox") };
}

/** Archive of an image without a name, with what a Bun executable needs: the base of the product image in the lab. */
export async function provideBaseImage(workshop: Workshop): Promise<string> {
  const folder = await workshop.cache.keep({
    name: "base-image",
    inputs: [baseRecipe.packages],
    make: (target) =>
      inStep(workshop, "base of the product image", async () => {
        const root = join(target, "root");
        await makeDebianRoot(workshop, baseRecipe, root);
        await writeImageArchive({ name: "localhost/base:1", root, command: [] }, join(target, "image.tar"));
      }),
  });
  return join(folder, "image.tar");
}

/** Packages are unpacked only, nothing is installed: busybox stands in for each command that no package has. */
async function linkBusybox(workshop: Workshop, root: string): Promise<void> {
  const listed = await workshop.run(join(root, "usr/bin/busybox"), ["--list"]);
  const present = new Set(
    (await Promise.all(["usr/bin", "usr/sbin"].map((folder) => readdir(join(root, folder))))).flat(),
  );
  const missing = listed.split("\n").filter((name) => name !== "" && !present.has(name));
  for (const name of missing) await symlink("busybox", join(root, "usr/bin", name));
}
