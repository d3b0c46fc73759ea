// The guest's kernel and the small initramfs that finds its root disk: 2 MB boot faster than Debian's 35.
import { chmod, copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { artefactName } from "./artefact-name.ts";
import { hashTree } from "./hash-files.ts";
import { inStep, type Workshop } from "./workshop.ts";

export interface GuestKernel {
  readonly kernel: string;
  readonly initrd: string;
}

export interface KernelParts {
  /** The guest's root, which has kernel and modules. */
  readonly guestRoot: string;
  /** A static busybox. */
  readonly busybox: string;
}

// In the order in which they are loaded: each after what it needs.
const modules = ["virtio_blk", "crc32c_generic", "crc16", "mbcache", "jbd2", "ext4"];

/** Kernel image and initramfs; the initramfs runs test/lab/guest/init. */
export async function provideGuestKernel(workshop: Workshop, parts: KernelParts): Promise<GuestKernel> {
  const inputs = [
    artefactName(parts.guestRoot),
    artefactName(parts.busybox),
    modules,
    await hashTree(workshop.guest, ["init"]),
  ];
  const folder = await workshop.cache.keep({
    name: "kernel",
    inputs,
    make: (target) => inStep(workshop, "kernel and initramfs", () => makeKernel(workshop, parts, target)),
  });
  return { kernel: join(folder, "vmlinuz"), initrd: join(folder, "initrd") };
}

async function makeKernel(
  workshop: Workshop,
  { guestRoot, busybox }: KernelParts,
  target: string,
): Promise<void> {
  const boot = join(guestRoot, "boot");
  const image = (await readdir(boot)).find((name) => name.startsWith("vmlinuz-"));
  if (image === undefined) throw new Error(`no vmlinuz-* in ${boot}`);
  await copyFile(join(boot, image), join(target, "vmlinuz"));
  const tree = join(target, "tree");
  await mkdir(join(tree, "bin"), { recursive: true });
  await mkdir(join(tree, "modules"));
  await copyFile(join(workshop.guest, "init"), join(tree, "init"));
  await copyFile(busybox, join(tree, "bin/busybox"));
  await Promise.all([join(tree, "init"), join(tree, "bin/busybox")].map((path) => chmod(path, 0o755)));
  await copyModules(join(guestRoot, "usr/lib/modules", image.replace("vmlinuz-", "")), join(tree, "modules"));
  const pack = 'find . | sort | cpio --quiet --create --format=newc --owner=0:0 | gzip -1 >"$1"';
  await workshop.run("sh", ["-c", pack, "sh", join(target, "initrd")], { cwd: tree });
  await rm(tree, { recursive: true });
}

async function copyModules(release: string, into: string): Promise<void> {
  const dependencies = await readFile(join(release, "modules.dep"), "utf8");
  const paths = dependencies.split("\n").map((line) => line.split(":")[0] ?? "");
  for (const [index, name] of modules.entries()) {
    const path = paths.find((candidate) => basename(candidate) === `${name}.ko`);
    if (path === undefined) throw new Error(`no module ${name}.ko in ${release}/modules.dep`);
    await copyFile(join(release, path), join(into, `${index}-${name}.ko`));
  }
}
