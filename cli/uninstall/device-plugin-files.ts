// What the device plugin leaves in folders that it shares with others: sockets, after a kill, CDI and device-info files.

import { join } from "node:path";

import type { Host } from "../../host/host.ts";
import { readAdvertisedPools } from "../../sriov/advertised-pools.ts";
import { isOwnCdiFile } from "../../deviceplugin/cdi-spec.ts";
import { targetOfTemporary } from "../../host/replace-file.ts";
import { parseDeviceInfoName } from "../../sriov/device-info.ts";
import { SriovError } from "../../sriov/errors.ts";
import { formatSocketName } from "../../kubelet/socket-name.ts";
import { resolveOnHost } from "./host-path.ts";

/**
 * Paths of what is there, sockets and device-info files by the resources that were offered last, and what a killed writer left of
 * them. Stop the device plugin first.
 */
export function listDevicePluginFiles(
  host: Pick<Host, "files" | "paths">,
  kubeletRoot: string,
): readonly string[] {
  const resources = readResources(host);
  const folders = [`${kubeletRoot}/plugins_registry`, "/var/lib/kubelet/device-plugins"];
  const sockets = new Set(resources.map(formatSocketName));
  return [
    ...folders.flatMap((folder) =>
      listFolder(host, resolveOnHost(host, folder), (name) => sockets.has(name)),
    ),
    ...listFolder(host, host.paths.cdi, isOwnCdiFile),
    ...listFolder(host, host.paths.deviceInfo, (name) =>
      resources.some((resource) => parseDeviceInfoName(resource, name) !== undefined),
    ),
  ];
}

function listFolder(
  { files }: Pick<Host, "files">,
  folder: string,
  isOurs: (name: string) => boolean,
): readonly string[] {
  return (files.list(folder) ?? [])
    .filter((name) => isOurs(targetOfTemporary(name) ?? name))
    .map((name) => join(folder, name));
}

function readResources(host: Pick<Host, "files" | "paths">): readonly string[] {
  try {
    return [...(readAdvertisedPools(host)?.keys() ?? [])];
  } catch (error) {
    if (error instanceof SriovError) return [];
    throw error;
  }
}
