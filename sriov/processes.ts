// The processes that /proc shows.

import type { Host } from "../host/host.ts";

/** What `ns/pid` of a process says that sees all processes of the machine. Source: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
export const initialPidNamespace = "pid:[4026531836]";

/** Their numbers, as the folders are named; one may have ended by the time that it is looked at. */
export function listProcesses({ files, paths }: Pick<Host, "files" | "paths">): readonly string[] {
  return (files.list(paths.proc) ?? []).filter((name) => /^\d+$/.test(name));
}
