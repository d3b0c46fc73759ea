// `virtfn deviceplugin` on a machine that is a folder: arguments are its root, the kubelet's folder to register through, the flags.
import * as fs from "node:fs";
import { join } from "node:path";

import { run } from "../../deviceplugin/main.ts";
import { createHost } from "../../host/create-host.ts";
import type { Host } from "../../host/host.ts";
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

/** A Host whose node is `root`; without plugins_registry where the other way of registering is to be tried. */
function createFolderHost(root: string, way: string): Host {
  const host = createHost({ root });
  if (way === "plugins_registry") return host;
  const kubelet = { ...host.paths.kubelet, pluginsRegistry: join(root, "missing") };
  return { ...host, paths: { ...host.paths, kubelet } };
}

if (import.meta.main) {
  const [root = "", way = "", ...args] = process.argv.slice(2);
  process.exit(await run({ ...createFolderHost(root, way), uevents: createFolderUevents(root) }, args));
}
