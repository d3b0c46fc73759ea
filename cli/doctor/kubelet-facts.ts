// What the kubelet has on the node, and what it tells of its pods.

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { FileStat } from "../../host/files.ts";
import { type DeviceGrant, readDeviceGrants } from "../../kubelet/checkpoint-grants.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { type HostView, listPaths } from "./host-root.ts";
import type { Reading } from "./reading.ts";

/** What is at each path; `undefined`: nothing. Paths as the node has them. */
export interface KubeletFacts {
  readonly devicePlugins: KubeletPath;
  readonly pluginsRegistry: KubeletPath;
  readonly registration: KubeletPath;
  readonly podResources: KubeletPath;
}

interface KubeletPath {
  readonly path: string;
  readonly kind: FileStat["kind"] | undefined;
}

/** A person waits for the answer. */
const timeoutMs = 2_000;

/** Looks at the kubelet's folders and sockets. */
export function readKubeletFacts({ files, paths }: HostView): KubeletFacts {
  const { devicePlugins, pluginsRegistry, podResourcesSocket } = paths.kubelet;
  const look = (path: string): KubeletPath => ({
    path: paths.root === "/" ? path : path.slice(paths.root.length),
    kind: files.stat(path)?.kind,
  });
  return {
    devicePlugins: look(devicePlugins),
    pluginsRegistry: look(pluginsRegistry),
    registration: look(`${devicePlugins}/kubelet.sock`),
    podResources: look(podResourcesSocket),
  };
}

/** What containers were given, by the kubelet's checkpoint. Throws ERR_CHECKPOINT, or ERR_SYSTEM_CALL when it is not seen. */
export function readGrants(host: HostView, root: Reading<HostView>): readonly DeviceGrant[] {
  const seen = listPaths(host, root).find(({ kubelet }) => host.files.stat(kubelet.checkpoint) !== undefined);
  if (seen !== undefined) return readDeviceGrants({ files: host.files, paths: seen });
  // Without a device plugin the kubelet has none.
  if ("value" in root) return [];
  throw new SystemCallError("open", host.paths.kubelet.checkpoint, "ENOENT");
}

/** The kubelet's pods. gRPC is loaded only where there is a socket. Throws ERR_POD_RESOURCES, ERR_SYSTEM_CALL without one. */
export async function readPods(
  host: HostView & Pick<Host, "clock">,
  root: Reading<HostView>,
): Promise<readonly PodAllocation[]> {
  const isThere = ({ kubelet }: HostView["paths"]): boolean =>
    host.files.stat(kubelet.podResourcesSocket)?.kind === "socket";
  const paths = listPaths(host, root).find(isThere);
  if (paths === undefined)
    throw new SystemCallError("connect", host.paths.kubelet.podResourcesSocket, "no such socket");
  const { PodResources } = await import("../../kubelet/pod-resources.ts");
  using kubelet = new PodResources({ clock: host.clock, paths }, { timeoutMs });
  return await kubelet.list();
}
