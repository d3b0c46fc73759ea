// `virtfn deviceplugin` on a machine that is a folder: arguments are its root, the kubelet's folder to register through, the flags.
import { join } from "node:path";

import { run } from "../../deviceplugin/main.ts";
import { createHost } from "../../host/create-host.ts";
import type { Host } from "../../host/host.ts";
import { createFolderUevents } from "./folder-uevents.ts";

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
