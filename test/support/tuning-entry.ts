// `virtfn tuning` on a machine that is a folder: arguments are its root, then the flags. Writes to /proc/irq are counted in a file.

import * as fs from "node:fs";
import { join } from "node:path";

import { createHost } from "../../host/create-host.ts";
import type { Host } from "../../host/host.ts";
import { run } from "../../tuning/main.ts";
import { createFolderUevents } from "./folder-uevents.ts";
import { asKernelFiles } from "./irq-tree.ts";

/** Below the root: one line for each write to /proc/irq. */
export const irqWritesFile = "irq-writes";

/** The real host with its files below `root`. */
export function createFolderHost(root: string): Host {
  const host = createHost({ root });
  const kernelFiles = asKernelFiles(host.files);
  const files: Host["files"] = {
    ...kernelFiles,
    writeText(path, text) {
      // First: who sees the write is to find it counted.
      fs.appendFileSync(join(root, irqWritesFile), `${path.slice(root.length)} ${text}\n`);
      kernelFiles.writeText(path, text);
    },
  };
  return { ...host, files };
}

if (import.meta.main) {
  const [root = "", ...args] = process.argv.slice(2);
  process.exit(
    await run(
      { ...createFolderHost(root), uevents: createFolderUevents(root) },
      args,
      (text) => void process.stdout.write(text),
    ),
  );
}
