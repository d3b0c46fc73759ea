// Whether the device plugin runs, by its sockets: what it wrote down outlives it.

import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { createPaths } from "../../host/paths.ts";
import { formatSocketName } from "../../kubelet/socket-name.ts";
import type { AdvertisedPools } from "../../sriov/advertised-pools.ts";

type Eyes = Pick<Host, "files" | "paths" | "localSockets">;

/** Resources that somebody serves, and those that nobody does. */
export interface PluginSockets {
  readonly served: readonly string[];
  readonly unserved: readonly string[];
}

/**
 * Dials the socket of each resource, in both folders of the kubelet, as the node has them, or as this container has them mounted.
 * Throws SystemCallError where neither folder is seen.
 */
export function readPluginSockets(host: Eyes, pools: AdvertisedPools): PluginSockets {
  const folders = listFolders(host);
  if (folders.length === 0) throw new SystemCallError("open", host.paths.kubelet.devicePlugins, "ENOENT");
  const isServed = (resource: string): boolean =>
    folders.some((folder) => host.localSockets.isServed(join(folder, formatSocketName(resource))));
  const resources = [...pools.keys()];
  const served = resources.filter((resource) => isServed(resource));
  return { served, unserved: resources.filter((resource) => !served.includes(resource)) };
}

/** Whether nobody serves what is offered; false where that cannot be told. */
export function isPluginAway(host: Eyes, pools: AdvertisedPools): boolean {
  try {
    return pools.size > 0 && readPluginSockets(host, pools).served.length === 0;
  } catch (error) {
    if (error instanceof SystemCallError) return false;
    throw error;
  }
}

function listFolders({ files, paths }: Eyes): readonly string[] {
  const isFolder = (path: string): boolean => {
    try {
      return files.stat(path)?.kind === "directory";
    } catch (error) {
      // The root of process 1 may be closed to us.
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  };
  const places = [createPaths(paths.hostRoot), paths].map(({ kubelet }) =>
    [kubelet.pluginsRegistry, kubelet.devicePlugins].filter((path) => isFolder(path)),
  );
  return places.find((folders) => folders.length > 0) ?? [];
}
