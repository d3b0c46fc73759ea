// `virtfn deviceplugin` on a machine that is a folder: the same program, with a Host whose root is the first argument.
import * as fs from "node:fs";
import { join } from "node:path";

import { run } from "../../deviceplugin/main.ts";
import { createHost } from "../../host/create-host.ts";
import type { Uevents } from "../../host/uevent.ts";

/** Folder below the machine's root: a file made in it is a uevent of the PCI bus. */
export const ueventFolder = "run/uevents";

/** Uevents of a machine that is a folder: the kernel tells nothing about it. */
function createFolderUevents(root: string): Uevents {
  const folder = join(root, ueventFolder);
  fs.mkdirSync(folder, { recursive: true });
  const uevent = { action: "change", devicePath: "/devices/pci0000:00", subsystem: "pci" };
  return {
    subscribe: (onNotice) => {
      const watcher = fs.watch(folder, () => onNotice({ event: "uevent", uevent }));
      return { [Symbol.dispose]: () => watcher.close() };
    },
  };
}

if (import.meta.main) {
  const [root = "", ...args] = process.argv.slice(2);
  process.exit(await run({ ...createHost({ root }), uevents: createFolderUevents(root) }, args));
}
