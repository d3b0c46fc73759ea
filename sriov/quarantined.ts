// Files of state that could not be read and were moved aside: whoever looks at the node has to learn of them.

import { join } from "node:path";

import type { Host } from "../host/host.ts";

/** What could not be read, by its path now, and why, where the disk had room to note that. */
export interface Quarantined {
  readonly path: string;
  readonly reason: string | undefined;
}

const noteSuffix = ".reason";

/** All of them, the oldest of a VF first. Throws HostError where the folder cannot be read. */
export function listQuarantined({ files, paths }: Pick<Host, "files" | "paths">): readonly Quarantined[] {
  const names = files.list(paths.quarantine) ?? [];
  return names
    .filter((name) => !name.endsWith(noteSuffix) && !name.startsWith("."))
    .toSorted()
    .map((name) => join(paths.quarantine, name))
    .map((path) => ({ path, reason: files.readText(`${path}${noteSuffix}`)?.trim() }));
}
