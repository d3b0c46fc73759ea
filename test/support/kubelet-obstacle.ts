// Why a real kubelet cannot run on this machine, as the reason of a test that is skipped.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";

import { findKubelet } from "./find-kubelet.ts";

/** What a kubelet needs of the machine; each is asked only where those before it are there. */
export interface KubeletNeeds {
  readonly executable: string | undefined;
  readonly uid: number;
  /** What goes wrong when it starts a program in a mount namespace of its own; "" when nothing does. */
  readonly tryMounts: () => string;
  /** `/proc/self/mountinfo`. */
  readonly mounts: () => string;
  readonly canRead: (path: string) => boolean;
  /** What goes wrong when it tells its version; "" when nothing does. */
  readonly tryVersion: (executable: string) => string;
}

/** `undefined` when nothing is in the way. */
export function findKubeletObstacle(needs: KubeletNeeds): string | undefined {
  const { executable, uid } = needs;
  if (executable === undefined)
    return "no kubelet: set KUBE_BIN_DIR, or let the lab build Kubernetes first (npm run test:lab)";
  if (uid !== 0) return `a kubelet needs root, this is user ${uid}`;
  const mountProblem = needs.tryMounts();
  if (mountProblem !== "") return `a kubelet needs mounts of its own: ${mountProblem}`;
  // Its cAdvisor looks for them at the start, and the kubelet ends without.
  if (!/ - cgroup2? /.test(needs.mounts())) return "a kubelet needs cgroups: none are mounted";
  if (!needs.canRead("/dev/kmsg")) return "a kubelet needs /dev/kmsg, which cannot be read here";
  const versionProblem = needs.tryVersion(executable);
  return versionProblem === "" ? undefined : `${executable} does not run: ${versionProblem}`;
}

export type KubeletToRun = { readonly executable: string } | { readonly obstacle: string };

/** The kubelet to test with, or why there is none; looked at once for each test file. */
export function findUsableKubelet(): KubeletToRun {
  const executable = findKubelet();
  const obstacle = findKubeletObstacle({
    executable,
    uid: process.getuid?.() ?? -1,
    tryMounts: () => run("unshare", ["--mount", "sh", "-c", "mount -t tmpfs none /run"]),
    mounts: () => fs.readFileSync("/proc/self/mountinfo", "utf8"),
    canRead,
    tryVersion: (path) => run(path, ["--version"]),
  });
  return executable === undefined || obstacle !== undefined ? { obstacle: obstacle ?? "" } : { executable };
}

function canRead(path: string): boolean {
  try {
    fs.closeSync(fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

function run(command: string, args: readonly string[]): string {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? "" : `${command} ${args[0]} ended with ${status}: ${stderr.trim()}`;
}
