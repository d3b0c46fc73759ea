// How many interrupts have to move at an event, by counting alone.

import { irqKey } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { NodeLoad } from "./node-load.ts";
import type { Placement } from "./strategies.ts";

/**
 * A lower bound of the moves from `kept` to any placement within the candidates that has the sorted loads of `next` on each
 * NUMA node. Of interrupts that are new each one for which their CPUs have no room below the highest load drives another out.
 * And what a load has more than the one of its place in `next` has to leave it, however the two are matched.
 */
export function countForcedMoves(
  topology: CpuTopology,
  irqs: readonly IrqToPlace[],
  kept: Placement,
  next: Placement,
): number {
  const before = new NodeLoad(topology, kept.values());
  const after = new NodeLoad(topology, next.values());
  const fresh = irqs.filter((irq) => !kept.has(irqKey(irq)));
  const perNode = [...topology.nodes.values()].map((cpus) => {
    const loadsOf = (load: NodeLoad): readonly number[] =>
      cpus.map((cpu) => load.ofCpu(cpu)).toSorted((a, b) => b - a);
    const loads = loadsOf(after);
    const surplus = sumAboveZero(loadsOf(before).map((load, at) => load - (loads[at] ?? 0)));
    const coming = fresh.filter(({ candidates }) => candidates.some((cpu) => cpus.includes(cpu)));
    const theirs = [...new Set(coming.flatMap(({ candidates }) => candidates))];
    const room = sumAboveZero(theirs.map((cpu) => (loads[0] ?? 0) - before.ofCpu(cpu)));
    return Math.max(surplus, coming.length - room);
  });
  return perNode.reduce((sum, each) => sum + each, 0);
}

function sumAboveZero(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + Math.max(0, value), 0);
}
