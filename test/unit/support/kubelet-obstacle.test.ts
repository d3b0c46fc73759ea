// What keeps a real kubelet from running is told as the first thing that is missing.

import { expect, test } from "vitest";

import { findKubeletObstacle, findUsableKubelet, type KubeletNeeds } from "../../support/kubelet-obstacle.ts";

const all: KubeletNeeds = {
  executable: "/bin/kubelet",
  uid: 0,
  tryMounts: () => "",
  mounts: () => "35 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n",
  canRead: () => true,
  tryVersion: () => "",
};

test.each<[string, Partial<KubeletNeeds>, string]>([
  ["nothing", {}, "none"],
  [
    "cgroups of version 1",
    { mounts: () => "40 39 0:35 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" },
    "none",
  ],
  ["the executable", { executable: undefined }, "no kubelet: set KUBE_BIN_DIR"],
  ["root", { uid: 1000 }, "needs root, this is user 1000"],
  ["mounts", { tryMounts: () => "unshare --mount ended with 1: EPERM" }, "mounts of its own: unshare"],
  ["cgroups", { mounts: () => "22 1 0:20 / /proc rw - proc proc rw\n" }, "needs cgroups: none are mounted"],
  ["the kernel's log", { canRead: (path) => path !== "/dev/kmsg" }, "needs /dev/kmsg"],
  ["an executable of this machine", { tryVersion: () => "ENOEXEC" }, "/bin/kubelet does not run: ENOEXEC"],
])("without %s", (_, missing, expected) => {
  expect(findKubeletObstacle({ ...all, ...missing }) ?? "none").toContain(expected);
});

test("on this machine there is a kubelet, or a reason", () => {
  const found = findUsableKubelet();
  expect("executable" in found ? found.executable : found.obstacle).not.toBe("");
});
