// Everything on the lab's node that virtfn may write, as text: what an uninstall must put back.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readVfState } from "../demo/vf-state.ts";
import type { LabHandle } from "../lab-handle.ts";
import type { LabNode } from "../node/lab-node.ts";

const folders = [
  "/etc/cni",
  "/etc/udev/rules.d",
  "/etc/virtfn",
  "/opt/cni",
  "/run/cdi",
  "/run/k8s.cni.cncf.io",
  "/run/virtfn",
  "/var/lib/kubelet/plugins_registry",
  "/var/lib/virtfn",
];

/** One line per file with type, mode, size and, of small ones, a sum of the content; sockets of device plugins; the VFs' state. */
export async function readNodeText(node: LabNode): Promise<string> {
  const files = await node.run(`
    find ${folders.join(" ")} -printf '%y %m %s %p\\n' 2>/dev/null | sed -E 's/^d ([0-9]+) [0-9]+/d \\1/' | sort -k4
    find ${folders.join(" ")} -type f -size -64k -exec cksum {} + 2>/dev/null | sort -k3
    ls /var/lib/kubelet/device-plugins | grep -v '^kubelet'
    true`);
  return `${files}\n${await readVfState(node)}`;
}

const file = (handle: Pick<LabHandle, "logsDir">): string => join(handle.logsDir, "before-install.txt");

/** Keeps the node's text of before virtfn came, for tests that run later. */
export async function keepNodeText(handle: Pick<LabHandle, "logsDir">, node: LabNode): Promise<void> {
  writeFileSync(file(handle), await readNodeText(node));
}

export function readKeptNodeText(handle: Pick<LabHandle, "logsDir">): string {
  return readFileSync(file(handle), "utf8");
}
