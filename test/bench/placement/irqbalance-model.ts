// A model of one round of irqbalance: CPUs far above the average give interrupts to the lightest CPU of the device's node.

import { irqKey } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { NodeLoad } from "./node-load.ts";

/**
 * The placement after a round with equal interrupt rates. Modelled: a CPU gives when it is a standard deviation above the
 * mean of its node, never its only interrupt, and only as long as that does not turn the imbalance round. It knows nodes and
 * no pods, so candidates do not bind it. Left out: rates that change, packages and caches, power saving.
 */
export function balanceOnce(
  topology: CpuTopology,
  irqs: readonly IrqToPlace[],
  now: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const next = new Map(now);
  const load = new NodeLoad(topology, now.values());
  const irqsOf = Map.groupBy(irqs, (irq) => now.get(irqKey(irq)));
  for (const cpus of topology.nodes.values()) {
    const loads = cpus.map((cpu) => load.ofCpu(cpu));
    const mean = loads.reduce((sum, each) => sum + each, 0) / loads.length;
    const deviation = Math.sqrt(loads.reduce((sum, each) => sum + (each - mean) ** 2, 0) / loads.length);
    if (deviation === 0) continue;
    const givers = cpus.filter((cpu) => load.ofCpu(cpu) >= mean + deviation);
    for (const from of givers) {
      for (const irq of irqsOf.get(from) ?? []) {
        const to = cpus.reduce((best, cpu) => (load.ofCpu(cpu) < load.ofCpu(best) ? cpu : best));
        if (load.ofCpu(from) <= 1 || load.ofCpu(to) + 1 > load.ofCpu(from) - 1) break;
        load.add(from, -1);
        load.add(to, 1);
        next.set(irqKey(irq), to);
      }
    }
  }
  return next;
}
