// Whether the device plugin runs, by its sockets: what it wrote down outlives it.

import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { Paths } from "../../host/paths.ts";
import { formatSocketName } from "../../kubelet/socket-name.ts";
import type { AdvertisedPools } from "../../sriov/advertised-pools.ts";

type Eyes = Pick<Host, "files" | "localSockets">;

/** Resources that somebody serves, and those that nobody does. */
export interface PluginSockets {
  readonly served: readonly string[];
  readonly unserved: readonly string[];
}

/** Dials the socket of each resource, in both folders of the kubelet. Throws SystemCallError where neither folder is seen. */
export function readPluginSockets(
  { files, localSockets }: Eyes,
  { pluginsRegistry, devicePlugins }: Paths["kubelet"],
  pools: AdvertisedPools,
): PluginSockets {
  const folders = [pluginsRegistry, devicePlugins].filter((path) => files.stat(path)?.kind === "directory");
  if (folders.length === 0) throw new SystemCallError("open", devicePlugins, "ENOENT");
  const isServed = (resource: string): boolean =>
    folders.some((folder) => localSockets.isServed(join(folder, formatSocketName(resource))));
  const resources = [...pools.keys()];
  const served = resources.filter((resource) => isServed(resource));
  return { served, unserved: resources.filter((resource) => !served.includes(resource)) };
}

/** Whether nobody serves what is offered; false where that cannot be told, as in a container without the kubelet's folders. */
export function isPluginAway(host: Eyes & Pick<Host, "paths">, pools: AdvertisedPools): boolean {
  try {
    return pools.size > 0 && readPluginSockets(host, host.paths.kubelet, pools).served.length === 0;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  }
}
