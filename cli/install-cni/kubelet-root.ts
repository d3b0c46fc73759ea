// Whether the CNI executable will find the kubelet's files: it looks in one place, which no configuration can move.

import { join } from "node:path";

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { resolveInRoot } from "../../sriov/root-path.ts";

/** The kubelet's folders are not where the CNI looks. */
class KubeletRootError extends HostError {
  readonly code = "ERR_KUBELET_ROOT";

  constructor(folder: string, problem: string) {
    super(`looking for the kubelet's files in ${folder}: ${problem}`);
  }
}

const fixed = "/var/lib/kubelet";

/**
 * Checks a host whose kubelet has `root` as its --root-dir, seen below `hostRoot`: the device checkpoint is in /var/lib/kubelet
 * whatever the root is, and PodResources' socket must be found there too. Throws ERR_KUBELET_ROOT with the link to make.
 */
export function checkKubeletRoot(host: Pick<Host, "files">, hostRoot: string, root: string): void {
  const checkpoint = join(fixed, "device-plugins");
  const resolve = (path: string): string | undefined => {
    const resolved = resolveInRoot(host.files, hostRoot, path);
    const isThere = resolved !== undefined && host.files.stat(join(hostRoot, resolved)) !== undefined;
    return isThere ? resolved : undefined;
  };
  if (resolve(checkpoint) === undefined) throw new KubeletRootError(checkpoint, "there is no such folder");
  const [expected, got] = [root, fixed].map((folder) => resolve(join(folder, "pod-resources")));
  if (expected === undefined)
    throw new KubeletRootError(join(root, "pod-resources"), "there is no such folder");
  if (expected !== got)
    throw new KubeletRootError(
      join(fixed, "pod-resources"),
      `expected a link to ${join(root, "pod-resources")}, got ${got ?? "nothing"}; make it with: ln -s ${join(root, "pod-resources")} ${join(fixed, "pod-resources")}`,
    );
}
