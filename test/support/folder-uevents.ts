// Uevents of a machine that is a folder: the kernel tells nothing about it.

import * as fs from "node:fs";
import { join } from "node:path";

import type { Uevents } from "../../host/uevent.ts";

const folder = "run/uevents";

/** Each `sendUevent` on that machine, in whatever process, is a notice. */
export function createFolderUevents(root: string): Uevents {
  fs.mkdirSync(join(root, folder), { recursive: true });
  return {
    subscribe: (onNotice) => {
      const watcher = fs.watch(join(root, folder), (_event, name) => {
        const [subsystem = ""] = name?.split("-", 1) ?? [];
        onNotice({
          event: "uevent",
          uevent: { action: "change", devicePath: `/devices/${subsystem}`, subsystem },
        });
      });
      return { [Symbol.dispose]: () => watcher.close() };
    },
  };
}

/** A uevent of "pci", "cpu", ... on the machine below `root`. */
export function sendUevent(root: string, subsystem: string): void {
  fs.mkdirSync(join(root, folder), { recursive: true });
  fs.writeFileSync(join(root, folder, `${subsystem}-${performance.now()}`), "");
}
