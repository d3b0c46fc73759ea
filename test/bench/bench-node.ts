// The emulated node of a bench: nothing else runs on its CPUs.

import { startLab } from "../lab/lab.ts";
import { openLab } from "../lab/lab-handle.ts";
import type { LabNode } from "../lab/node/lab-node.ts";
import { prepareLab } from "../lab/prepare/prepare.ts";
import { createProgress } from "../lab/progress.ts";
import { waitUntil } from "../lab/wait-until.ts";

/**
 * Does `work` on the node of the lab that runs in `labDir`; without one on a node that is booted for it, with kubelet and containerd
 * stopped. `signal` ends what comes before `work`.
 */
export async function onBenchNode<Result>(
  labDir: string | undefined,
  work: (node: LabNode) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  if (labDir !== undefined) {
    using lab = await openLab(labDir);
    return await work(lab.node);
  }
  const progress = createProgress();
  const artifacts = await prepareLab({ progress, signal, withProduct: false });
  await using lab = await startLab({ artifacts, progress, signal, withControlPlane: false });
  // The agent answers before the node has its network.
  await lab.node.run(
    "systemctl start lab-boot; systemctl stop kubelet containerd; systemctl mask --runtime kubelet containerd",
  );
  return await work(lab.node);
}

/** PCI address of the first VF of the node's first PF, once it is there. */
export async function waitForFirstVf(node: LabNode): Promise<string> {
  const find = "set -o pipefail; readlink /sys/class/net/ens1/device/virtfn0 | xargs basename";
  return await waitUntil("VFs of ens1", () => node.run(find), { timeoutMs: 120_000 });
}
