// Which CPU serves which interrupt: one placement over all VFs of the node, as steps away from what is now.

import { assignIrqs } from "./placement-assignment.ts";
import { compareIrqs, groupIrqs, type IrqId, type IrqToPlace } from "./placement-model.ts";
import { type CpuLimits, createNetwork } from "./placement-network.ts";
import { optimise } from "./placement-optimum.ts";
import type { CpuTopology } from "./topology.ts";

/** One interrupt to pin to exactly one CPU; `from` is its affinity now. */
export interface PinStep extends IrqId {
  readonly from: readonly number[];
  readonly to: number;
}

/** The key of an interrupt in the map of current affinities. */
export function irqKey(irq: IrqId): string {
  return `${irq.vf}#${irq.msiIndex}`;
}

/**
 * Steps that put each interrupt on one candidate, ordered by VF and MSI index; none when nothing would get better. Optimal in
 * this order: the sorted load vector of the physical cores, that of the CPUs, closeness to `near`, fewest pinned interrupts
 * moved; what is still equal goes by the order of the candidates. Independent of input order. `current`: affinity by irqKey.
 * No step for an interrupt without an online candidate, or for which none has a vector left.
 */
export function planPlacement(
  topology: CpuTopology,
  irqs: readonly IrqToPlace[],
  current: ReadonlyMap<string, readonly number[]>,
  limits: CpuLimits,
): readonly PinStep[] {
  const affinityOf = (irq: IrqId): readonly number[] | undefined => current.get(irqKey(irq));
  const groups = groupIrqs(topology, irqs, affinityOf);
  const network = createNetwork(topology, groups, limits);
  optimise(network);
  const steps = assignIrqs(groups, network.choices).flatMap(({ irq, cpu }) => {
    const from = affinityOf(irq) ?? [];
    return from.length === 1 && from[0] === cpu
      ? []
      : [{ vf: irq.vf, msiIndex: irq.msiIndex, from, to: cpu }];
  });
  return steps.toSorted(compareIrqs);
}
