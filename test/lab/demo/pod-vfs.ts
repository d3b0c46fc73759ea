// The VFs that a running pod has, seen from inside the pod (kubectl exec) and from the node (interrupts).
import type { Kubectl } from "../cluster/kubectl.ts";
import type { LabNode } from "../node/lab-node.ts";
import type { DemoLab } from "./demo-lab.ts";

export interface PodVf {
  readonly pod: string;
  readonly pciAddress: string;
  readonly name: string;
  readonly mac: string;
  /** First IPv4 address of the interface; undefined without IPAM. */
  readonly address: string | undefined;
  readonly rpsMask: string;
  readonly vectors: readonly Vector[];
}

export interface Vector {
  readonly irq: number;
  readonly cpus: string;
  /** Name of the handler, like net1-rx-0; the last of igbvf's three is the mailbox. */
  readonly handler: string;
}

interface PodLink {
  readonly ifname: string;
  readonly address: string;
  readonly parentbus?: string;
  readonly parentdev?: string;
  readonly addr_info: readonly { readonly family: string; readonly local: string }[];
}

/** Every interface of the pod that is a PCI device, by name. */
export async function readPodVfs(
  { node, kubectl }: Pick<DemoLab, "node" | "kubectl">,
  pod: string,
): Promise<readonly PodVf[]> {
  const links = await readLinks(kubectl, pod);
  const vfs = links.filter((link) => link.parentbus === "pci" && link.parentdev !== undefined);
  return await Promise.all(
    vfs.map(async (link) => {
      const pciAddress = link.parentdev ?? "";
      const [rpsMask, vectors] = await Promise.all([
        kubectl.execInPod({ pod }, ["cat", `/sys/class/net/${link.ifname}/queues/rx-0/rps_cpus`]),
        readVectors(node, pciAddress),
      ]);
      const address = link.addr_info.find((one) => one.family === "inet")?.local;
      return { pod, pciAddress, name: link.ifname, mac: link.address, address, rpsMask, vectors };
    }),
  );
}

/** The allocated devices as the container's environment names them. */
export async function readAllocatedVfs(kubectl: Kubectl, pod: string): Promise<readonly string[]> {
  const value = await kubectl.execInPod({ pod }, ["sh", "-c", "echo $PCIDEVICE_SRIOV_VF"]);
  return value.split(",").filter(Boolean).toSorted();
}

/** The VF's vectors in the order of their MSI-X index. Source: kernel Documentation/ABI/testing/sysfs-bus-pci, msi_irqs. */
export async function readVectors(node: LabNode, pciAddress: string): Promise<readonly Vector[]> {
  const text = await node.run(`for irq in $(ls /sys/bus/pci/devices/${pciAddress}/msi_irqs | sort -n); do
    echo "$irq $(cat /proc/irq/$irq/smp_affinity_list) $(sed -n "s/^ *$irq:.* //p" /proc/interrupts)"; done`);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [irq, cpus = "", handler = ""] = line.split(" ");
      return { irq: Number(irq), cpus, handler };
    });
}

/** The table of the demo: one line for each VF in a pod. */
export function formatPodVfs(vfs: readonly PodVf[]): string {
  const rows = vfs.map((vf) => [
    vf.pod,
    vf.pciAddress,
    vf.name,
    vf.mac,
    vf.address ?? "-",
    vf.vectors.map(({ irq, cpus }) => `${irq}->${cpus}`).join(" "),
    vf.rpsMask,
  ]);
  return formatTable([["POD", "VF", "NAME", "MAC", "ADDRESS", "IRQ->CPUS", "RPS MASK"], ...rows]);
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

async function readLinks(kubectl: Kubectl, pod: string): Promise<readonly PodLink[]> {
  const links: readonly PodLink[] = JSON.parse(
    await kubectl.execInPod({ pod }, ["ip", "-j", "-d", "address", "show"]),
  );
  return links;
}
