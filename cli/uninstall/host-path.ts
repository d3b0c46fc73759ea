// Paths of the host, seen through its process 1: a link there must not lead to what is at that path here.

import { join } from "node:path";

import type { Host } from "../../host/host.ts";
import { resolveInRoot } from "../../sriov/root-path.ts";

/** Where the host's `path` is for this process. */
export function resolveOnHost({ files, paths }: Pick<Host, "files" | "paths">, path: string): string {
  return join(paths.root, resolveInRoot(files, paths.root, path) ?? path);
}
