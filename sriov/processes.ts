// The processes that /proc shows.

import type { Host } from "../host/host.ts";

/** Their numbers, as the folders are named; one may have ended by the time that it is looked at. */
export function listProcesses({ files, paths }: Pick<Host, "files" | "paths">): readonly string[] {
  return (files.list(paths.proc) ?? []).filter((name) => /^\d+$/.test(name));
}
