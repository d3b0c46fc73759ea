// The node's own files, as they are seen from a container: kubelet, CNI, configurations.

import { HostError, SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { createPaths, type Paths } from "../../host/paths.ts";
import type { Reading } from "./reading.ts";

/** The node's files with their paths as seen from here. */
export type HostView = Pick<Host, "files" | "paths">;

const hint = "run it in the container tuning, or as root on the node";

/** The view of the node's root; not known where process 1's root is closed to us. */
export function findHostRoot({ files, paths }: HostView): Reading<HostView> {
  try {
    if (files.list(`${paths.hostRoot}/`) === undefined)
      throw new SystemCallError("readdir", paths.hostRoot, "ENOENT");
    return { value: { files, paths: createPaths(paths.hostRoot) } };
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { unknown: `the node's files are not seen from here (${error.message}): ${hint}` };
  }
}

/** The paths to try, in this order: where the node has a file, and where a container has it mounted. */
export function listPaths({ paths }: Pick<HostView, "paths">, root: Reading<HostView>): readonly Paths[] {
  return "unknown" in root ? [paths] : [root.value.paths, paths];
}
