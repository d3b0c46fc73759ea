// The node's VFs as text: all that a pod, the CNI or tuning may have changed about them, so that two moments can be compared whole.
import type { LabNode } from "../node/lab-node.ts";
import { waitUntil } from "../wait-until.ts";

/**
 * Opens and closes each VF of the node's that nobody has opened yet. The driver takes the MAC address that it keeps, and the kernel
 * makes the directories of the interrupts, only when an interface is opened for the first time.
 */
export async function openNewVfs(node: LabNode): Promise<void> {
  await node.run(`set -e
    shopt -s nullglob
    new=()
    for physfn in /sys/bus/pci/devices/*/physfn; do
      vf=\${physfn%/physfn}
      for irq in "$vf"/msi_irqs/*; do
        if [ ! -e "/proc/irq/\${irq##*/}/smp_affinity_list" ]; then
          for net in "$vf"/net/*; do new+=("\${net##*/}"); done
          break
        fi
      done
    done
    if [ \${#new[@]} = 0 ]; then exit; fi
    for name in "\${new[@]}"; do ip link set "$name" up; done
    udevadm settle
    for name in "\${new[@]}"; do ip link set "$name" down; done`);
}

/** One block per VF in the order of their addresses: name, MAC, MTU, flags, masks, affinity; then other names and the PFs' settings for VFs. */
export async function readVfState(node: LabNode): Promise<string> {
  return await node.run(stateScript);
}

/** Waits until readVfState gives `before` again: tuning puts affinity back after a pod's end, on its own. Throws with the lines that differ. */
export async function waitForVfState(node: LabNode, before: string): Promise<void> {
  const look = async (): Promise<void> => {
    const now = await readVfState(node);
    if (now !== before) throw new Error(`differs:\n${differingLines(before, now)}`);
  };
  await waitUntil("the VFs' state before", look, { timeoutMs: 60_000 });
}

// Builtins only, but for two calls of `ip`: under emulation a process takes 50 ms.
const stateScript = `
  show() { local value=none; { read -r value <"$2"; } 2>/dev/null; echo "  $1 $value"; }
  shopt -s nullglob
  names=none
  for physfn in /sys/bus/pci/devices/*/physfn; do
    vf=\${physfn%/physfn}
    echo "\${vf##*/}"
    for net in "$vf"/net/* "$vf"/virtio*/net/*; do
      names="$names|\${net##*/}"
      echo "  name \${net##*/}"
      for fact in address mtu flags; do show $fact "$net/$fact"; done
      for mask in "$net"/queues/*/{rps_cpus,rps_flow_cnt,xps_cpus}; do show "\${mask#"$net/queues/"}" "$mask"; done
    done
    for irq in "$vf"/msi_irqs/*; do show "vector on CPUs" "/proc/irq/\${irq##*/}/smp_affinity_list"; done
  done
  ip -o address show | grep -E " ($names) "
  ip -d link show | sed -n 's/^ *\\(altname .*\\)/  \\1/p; s/^ *\\(vf [0-9].*\\)/  \\1/p' | sort`;

function differingLines(before: string, now: string): string {
  const [left, right] = [before.split("\n"), now.split("\n")];
  const lines = Array.from(
    { length: Math.max(left.length, right.length) },
    (_, index) => [left[index] ?? "", right[index] ?? ""] as const,
  );
  return lines
    .filter(([was, is]) => was !== is)
    .map(([was, is]) => `- ${was}\n+ ${is}`)
    .join("\n");
}
