// The VFs that running pods have, seen from inside each pod (kubectl exec) and from the node (interrupts).
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
  /** What the driver calls it, like net1-rx-0; igbvf's mailbox is net1. */
  readonly handler: string;
}

interface PodLink {
  readonly ifname: string;
  readonly address: string;
  readonly parentbus?: string;
  readonly parentdev?: string;
  readonly addr_info: readonly { readonly family: string; readonly local: string }[];
}

/**
 * Every interface of these pods that is a PCI device, in the order of pods and names.
 * Throws when a pod's VFs are not those that its environment says were allocated.
 */
export async function readPodVfs(
  { node, kubectl }: Pick<DemoLab, "node" | "kubectl">,
  pods: readonly string[],
): Promise<readonly PodVf[]> {
  const vfs = (await Promise.all(pods.map((pod) => readFromInside(kubectl, pod)))).flat();
  const vectors = await readVectors(
    node,
    vfs.map((vf) => vf.pciAddress),
  );
  return vfs.map((vf) => Object.assign(vf, { vectors: vectors.get(vf.pciAddress) ?? [] }));
}

/** Whether the vector is a queue's: igbvf has net1-tx-0 and net1-rx-0, and net1 for its mailbox. */
export function isQueue({ handler }: Vector): boolean {
  return /-[rt]x-\d+$/.test(handler);
}

/**
 * Throws with those VFs that tuning has yet to do: each queue's interrupt on one CPU, its packets shared with another one. The
 * kernel by itself leaves an interrupt to all CPUs of the NUMA node, and the mask at 0.
 */
export function assertTuned(vfs: readonly PodVf[]): void {
  const untuned = vfs.filter(({ vectors, rpsMask }) => {
    const queues = vectors.filter(isQueue);
    const isPinned = queues.length > 0 && queues.every(({ cpus }) => /^\d+$/.test(cpus));
    return !isPinned || !/[1-9a-f]/.test(rpsMask.replace("none", ""));
  });
  if (untuned.length > 0) throw new Error(`not tuned:\n${formatPodVfs(untuned)}`);
}

/** The table of the demo: one line for each VF in a pod. */
export function formatPodVfs(vfs: readonly PodVf[]): string {
  const rows = vfs.map((vf) => {
    const vectors = vf.vectors.map(({ irq, cpus }) => `${irq}->${cpus}`).join(" ");
    return [vf.pod, vf.pciAddress, vf.name, vf.mac, vf.address ?? "-", vectors, vf.rpsMask];
  });
  return formatTable([["POD", "VF", "NAME", "MAC", "ADDRESS", "IRQ->CPUS", "RPS MASK"], ...rows]);
}

async function readFromInside(kubectl: Kubectl, pod: string): Promise<readonly Omit<PodVf, "vectors">[]> {
  const script = `echo "$PCIDEVICE_SRIOV_VF"; ip -j -d address show; grep -H . /sys/class/net/*/queues/rx-0/rps_cpus`;
  const [allocated = "", links = "[]", ...masks] = (
    await kubectl.execInPod({ pod }, ["sh", "-c", script])
  ).split("\n");
  const parsed: readonly PodLink[] = JSON.parse(links);
  const vfs = parsed
    .filter((link) => link.parentbus === "pci")
    .map((link) => ({
      pod,
      pciAddress: link.parentdev ?? "",
      name: link.ifname,
      mac: link.address,
      address: link.addr_info.find((one) => one.family === "inet")?.local,
      rpsMask:
        masks.find((line) => line.startsWith(`/sys/class/net/${link.ifname}/`))?.split(":")[1] ?? "none",
    }));
  const expected = allocated.split(",").filter(Boolean).toSorted();
  const got = vfs.map((vf) => vf.pciAddress).toSorted();
  if (got.join() !== expected.join())
    throw new Error(`pod ${pod}: was allocated ${expected.join()}, has ${got.join()}`);
  return vfs;
}

/** The VFs' vectors in the order of their MSI-X index. Source: kernel Documentation/ABI/testing/sysfs-bus-pci, msi_irqs. */
async function readVectors(
  node: LabNode,
  vfs: readonly string[],
): Promise<ReadonlyMap<string, readonly Vector[]>> {
  const text =
    await node.run(`for vf in ${vfs.join(" ")}; do for path in /sys/bus/pci/devices/$vf/msi_irqs/*; do
      irq=\${path##*/}; handlers=(/proc/irq/$irq/*/); read -r cpus </proc/irq/$irq/smp_affinity_list
      echo "$vf $irq $cpus $(basename "$handlers")"
    done; done`);
  const vectors = new Map<string, Vector[]>(vfs.map((vf) => [vf, []]));
  for (const line of text.split("\n").filter(Boolean)) {
    const [vf = "", irq, cpus = "", handler = ""] = line.split(" ");
    vectors.get(vf)?.push({ irq: Number(irq), cpus, handler });
  }
  for (const list of vectors.values()) list.sort((a, b) => a.irq - b.irq);
  return vectors;
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
