// The processes that /proc shows.

import { join } from "node:path";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";

/** What `ns/pid` of a process says that sees all processes of the machine. Source: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
export const initialPidNamespace = "pid:[4026531836]";

type Eyes = Pick<Host, "files" | "paths">;

/** Processes as they are when somebody asks first: for many questions at one time, as thousands of processes take seconds. */
export interface ProcessView {
  readonly list: () => readonly string[];
  /** What the process has open below /dev and in sysfs, and what vfio has no path for; or why that cannot be read. */
  readonly listOpenDevices: (pid: string) => readonly string[] | string;
}

/** Looks at nothing yet, and at each process once. */
export function createProcessView(host: Eyes): ProcessView {
  let pids: readonly string[] | undefined;
  const open = new Map<string, readonly string[] | string>();
  return {
    list: () => (pids ??= listProcesses(host)),
    listOpenDevices: (pid) => {
      const devices = open.get(pid) ?? tryListOpenDevices(host, pid);
      open.set(pid, devices);
      return devices;
    },
  };
}

// A busy node has some 100,000 other files open, which are not kept.
function tryListOpenDevices(host: Eyes, pid: string): readonly string[] | string {
  const places = ["/dev/", `${host.paths.sys}/`, "anon_inode:[vfio"];
  try {
    return listOpenFiles(host, pid).filter((file) => places.some((place) => file.startsWith(place)));
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

/** Their numbers, as the folders are named; one may have ended by the time that it is looked at. */
export function listProcesses({ files, paths }: Eyes): readonly string[] {
  return (files.list(paths.proc) ?? []).filter((name) => /^\d+$/.test(name));
}

/** What the process has open, as the links say; nothing of one that ended. Throws SystemCallError. */
export function listOpenFiles(host: Eyes, pid: string): readonly string[] {
  const process = join(host.paths.proc, pid);
  const open = readDescriptors(host, process);
  if (open.length > 0) return open;
  // One whose main thread ended shows none, and its other threads have them still.
  const threads = host.files.list(join(process, "task")) ?? [];
  return threads.flatMap((thread) => readDescriptors(host, join(process, "task", thread)));
}

function readDescriptors({ files }: Eyes, folder: string): readonly string[] {
  const fds = join(folder, "fd");
  return (files.list(fds) ?? []).flatMap((fd) => files.readLink(join(fds, fd)) ?? []);
}
