// /proc/irq of a fake node, as folders.

import * as fs from "node:fs";
import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Files } from "../../host/files.ts";

/** The folder of an interrupt whose handler `action` was registered: present from then on, as the kernel keeps it. */
export function writeIrq(root: string, irq: number, action: string, affinity: string): void {
  write(root, `proc/irq/${irq}/smp_affinity_list`, affinity);
  write(root, `proc/irq/${irq}/effective_affinity_list`, affinity.split(/[-,]/, 1)[0] ?? "");
  write(root, `proc/irq/${irq}/spurious`, "count 0");
  fs.mkdirSync(join(root, `proc/irq/${irq}/${action}`), { recursive: true });
}

/** The affinity list of an interrupt, or "none" where it has no folder. */
export function readIrq(root: string, irq: number): string {
  const path = join(root, `proc/irq/${irq}/smp_affinity_list`);
  return fs.existsSync(path) ? fs.readFileSync(path, "utf8").trim() : "none";
}

/** `files` where one write replaces the whole value, as it does in the kernel's files and does not in ordinary ones. */
export function asKernelFiles(files: Files): Files {
  return {
    ...files,
    writeText(path, text) {
      if (!fs.existsSync(path)) throw new SystemCallError("open", path, "ENOENT");
      fs.writeFileSync(path, `${text.trim()}\n`);
    },
  };
}

function write(root: string, path: string, text: string): void {
  fs.mkdirSync(join(root, path, ".."), { recursive: true });
  fs.writeFileSync(join(root, path), `${text}\n`);
}
