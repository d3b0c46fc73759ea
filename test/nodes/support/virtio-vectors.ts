// Interrupts of virtio VFs as /proc/irq and /proc/interrupts show them: the independent eye on what tuning did.
import type { LabNode } from "../../lab/node/lab-node.ts";

export interface VirtioVector {
  readonly vf: string;
  readonly irq: number;
  /** What the driver calls it, without the number of its device: "config", "input.0", "output.1". */
  readonly handler: string;
  /** As smp_affinity_list has it. */
  readonly cpus: string;
  /** CPUs that the driver asked for, as a mask; 0 for none. */
  readonly hint: string;
  /** How often it came, by CPU. */
  readonly counts: readonly number[];
}

/** In the order of VFs and their MSI indexes. Four CPUs are online. */
export async function readVirtioVectors(
  node: LabNode,
  vfs: readonly string[],
): Promise<readonly VirtioVector[]> {
  // Builtins only: under emulation a process takes 50 ms.
  const lines = await node.run(`declare -A counts
    while read -r irq rest; do counts[\${irq%:}]=$rest; done </proc/interrupts
    for vf in ${vfs.join(" ")}; do for path in /sys/bus/pci/devices/$vf/msi_irqs/*; do
      irq=\${path##*/}; handler=(/proc/irq/$irq/virtio*); handler=\${handler##*/}
      read -r cpus </proc/irq/$irq/smp_affinity_list; read -r hint </proc/irq/$irq/affinity_hint
      echo "$vf $irq \${handler#*-} $cpus $hint \${counts[$irq]}"
    done; done`);
  const vectors = lines.split("\n").map((line): VirtioVector => {
    const [vf = "", irq, handler = "", cpus = "", hint = "", ...counts] = line.split(/\s+/);
    return { vf, irq: Number(irq), handler, cpus, hint, counts: counts.slice(0, 4).map(Number) };
  });
  return vectors.toSorted((a, b) => vfs.indexOf(a.vf) - vfs.indexOf(b.vf) || a.irq - b.irq);
}

export function isQueue({ handler }: Pick<VirtioVector, "handler">): boolean {
  return /^(in|out)put\.\d+$/.test(handler);
}

/** Queue vectors by CPUs: "0: 6, 1: 6". */
export function formatSpread(vectors: readonly VirtioVector[]): string {
  const byCpus = Map.groupBy(vectors.filter(isQueue), ({ cpus }) => cpus);
  return [...byCpus]
    .map(([cpus, all]) => `${cpus}: ${all.length}`)
    .toSorted()
    .join(", ");
}
