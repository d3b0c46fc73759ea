// Installs virtfn in the lab's cluster as a user would: one kubectl apply, then the node has VFs to give.
import { fileURLToPath } from "node:url";
import { LAB_NETWORK } from "../artifacts.ts";
import type { Kubectl } from "../cluster/kubectl.ts";
import { waitForNode } from "../cluster/wait-for.ts";
import { resource } from "./manifests.ts";

const overlay = fileURLToPath(new URL("../../../deploy/kustomize/overlays/lab", import.meta.url));
export const productNamespace = "virtfn-system";

/** Applies the overlay, waits for the DaemonSet and for `vfs` allocatable VFs; gives what `kubectl get node` shows then. */
export async function installVirtfn(kubectl: Kubectl, vfs: number): Promise<string> {
  await kubectl.run(["apply", "-k", overlay]);
  await waitForRollout(kubectl, "virtfn");
  await waitForNode(
    kubectl,
    LAB_NETWORK.nodeName,
    { [resource]: vfs },
    { timeoutMs: 60_000, intervalMs: 1000 },
  );
  return await kubectl.run([
    "get",
    "node",
    LAB_NETWORK.nodeName,
    "-o",
    `custom-columns=NAME:.metadata.name,CPU:.status.allocatable.cpu,SRIOV/VF:.status.allocatable.sriov/vf`,
  ]);
}

/** Waits until every pod of a DaemonSet of ours is the one of its last change, and ready. */
export async function waitForRollout(kubectl: Kubectl, daemonSet: string): Promise<void> {
  const args = ["rollout", "status", `daemonset/${daemonSet}`, "-n", productNamespace, "--timeout=180s"];
  await kubectl.run(args, { timeoutMs: 200_000 });
}
