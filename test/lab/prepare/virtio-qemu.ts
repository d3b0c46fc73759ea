// A QEMU whose virtio NICs have SR-IOV (11, from the backports of Debian 13), run from a folder with its own libraries.
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DebianRecipe, makeDebianRoot } from "./debian-root.ts";
import { describeFailure } from "./describe-failure.ts";
import { inStep, type Workshop } from "./workshop.ts";

/** `qemu`: path of what is called as qemu-system-x86_64 is; `reason`: why there is none. */
export type VirtioQemu = { readonly qemu: string } | { readonly reason: string };

const suite = "trixie-backports";
const pin = String.raw`Package: *\nPin: release n=${suite}\nPin-Priority: 500\n`;

const recipe: DebianRecipe = {
  variant: "extract",
  packages: ["qemu-system-x86"],
  suites: [suite],
  setupHook: `mkdir -p "$1/etc/apt/preferences.d"; printf '${pin}' >"$1/etc/apt/preferences.d/lab"`,
};

/** No chroot: files, sockets and network namespace are this machine's, only libraries, modules and firmware are its own. */
const launcher = `#!/bin/sh
usr=\${0%/*}/root/usr lib=\${0%/*}/root/usr/lib/x86_64-linux-gnu
export QEMU_MODULE_DIR="$lib/qemu"
exec "$usr/lib64/ld-linux-x86-64.so.2" --library-path "$lib" "$usr/bin/qemu-system-x86_64" \\
  -L "$usr/share/qemu" -L "$usr/share/seabios" "$@"
`;

/** In the cache, or made now (a minute, 150 MB). Never throws for what this machine, its mirror or that QEMU lack. */
export async function provideVirtioQemu(workshop: Workshop): Promise<VirtioQemu> {
  try {
    const folder = await workshop.cache.keep({
      name: "virtio-qemu",
      inputs: [recipe, launcher],
      make: (target) =>
        inStep(workshop, "QEMU 11 from Debian 13's backports (1 minute)", () => make(workshop, target)),
    });
    return { qemu: join(folder, "qemu") };
  } catch (error) {
    return { reason: `no QEMU with SR-IOV of virtio NICs: ${describeFailure(error)}` };
  }
}

async function make(workshop: Workshop, target: string): Promise<void> {
  await makeDebianRoot(workshop, recipe, join(target, "root"));
  const qemu = join(target, "qemu");
  await writeFile(qemu, launcher);
  await chmod(qemu, 0o755);
  const properties = await workshop.run(qemu, ["-device", "virtio-net-pci,help"]);
  if (properties.includes("sriov-pf=")) return;
  const version = await workshop.run(qemu, ["--version"]);
  throw new Error(`expected one whose virtio-net-pci has sriov-pf (11), got ${version.split("\n")[0]}`);
}
