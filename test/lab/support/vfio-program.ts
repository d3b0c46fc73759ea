// A program in userspace that uses a VF of vfio-pci: guest/vfio-map.c, compiled on this machine, for the node and its pods.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { LabNode } from "../node/lab-node.ts";

/** Puts the program onto the node; it is called with an IOMMU group and a PCI address, and prints "mapped". */
export async function installVfioProgram(node: LabNode, path: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "virtfn-vfio-"));
  try {
    const source = fileURLToPath(new URL("../guest/vfio-map.c", import.meta.url));
    const out = join(folder, "vfio-map");
    await execa("gcc", ["-static", "-Os", "-s", "-Wall", "-Wextra", "-Werror", "-o", out, source]);
    await node.copyIn(out, path, "0755");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
