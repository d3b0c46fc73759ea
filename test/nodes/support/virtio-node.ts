// A node of its own with virtio VFs of several queues, and virtfn's executables on it; no Kubernetes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type Lab, startLab } from "../../lab/lab.ts";
import type { LabNode } from "../../lab/node/lab-node.ts";
import { virtioVfs } from "../../lab/node/qemu-arguments.ts";
import { prepareLab } from "../../lab/prepare/prepare.ts";
import { createProgress } from "../../lab/progress.ts";
import { waitUntil } from "../../lab/wait-until.ts";
import { compile } from "../../run/build.ts";

/** The VFs: functions of the PF, on NUMA node 0 (CPUs 0-1). */
export const vfs = virtioVfs.map((_, index) => `0000:21:00.${index + 1}`);

const memoryMb = 1024;

/** Boots it with this QEMU; `virtfn` is in PATH, the CNI plugin where runtimes look. The VFs are wired together. */
export async function startVirtioNode(qemu: string): Promise<Lab> {
  const progress = createProgress();
  const artifacts = { ...(await prepareLab({ progress, withProduct: false })), qemu };
  const numVfs = [vfs.length, 0] as const;
  const options = { artifacts, progress, memoryMb, numVfs, nics: "virtio", withControlPlane: false } as const;
  const lab = await startLab(options);
  try {
    await wireTogether(lab.handle.netns);
    await waitUntil("the VFs", () => lab.node.run(vfs.map(findNetdev).join("\n")), { timeoutMs: 120_000 });
    // Nothing else on the node's emulated CPUs.
    await lab.node.run(`systemctl stop kubelet containerd; systemctl mask --runtime kubelet containerd
      mkdir -p /var/lib/kubelet/device-plugins /run/virtfn/deviceplugin; rm -rf /var/lib/kubelet/pod-resources`);
    await install(lab.node);
    return lab;
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

function findNetdev(vf: string): string {
  return `test -e /sys/bus/pci/devices/${vf}/virtio*/net/* || exit 1`;
}

/** The other ends of the VFs' wires are taps, which QEMU made. */
async function wireTogether(netns: string): Promise<void> {
  const ip = async (...args: readonly string[]): Promise<unknown> => execa("ip", ["-n", netns, ...args]);
  await ip("link", "add", "switch", "type", "bridge");
  for (const { tap } of virtioVfs) await ip("link", "set", tap, "master", "switch", "up");
  await ip("link", "set", "switch", "up");
}

async function install(node: LabNode): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "virtfn-virtio-"));
  try {
    const [program, plugin] = [join(folder, "virtfn"), join(folder, "virtfn-cni")];
    await compile("cli/main.ts", program, "daemon");
    await compile("cni/main.ts", plugin, "call");
    await node.copyIn(program, "/usr/local/bin/virtfn", "0755");
    await node.copyIn(plugin, "/opt/cni/bin/virtfn", "0755");
  } finally {
    await rm(folder, { recursive: true });
  }
}
