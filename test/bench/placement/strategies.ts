// The placements that are compared: virtfn's, and models of what else is done.

import { irqKey, planPlacement } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { balanceOnce } from "./irqbalance-model.ts";
import { NodeLoad } from "./node-load.ts";
import { createRandom } from "./random.ts";

/** The CPU of each interrupt, by irqKey. */
export type Placement = ReadonlyMap<string, number>;

/** From what is now (interrupts of pods that are gone are out already) to what shall be. */
export type Strategy = (topology: CpuTopology, irqs: readonly IrqToPlace[], now: Placement) => Placement;

/** All of them, by name; `seed` is that of the one that draws CPUs at random. */
export function createStrategies(seed: number) {
  const random = createRandom(seed);
  return {
    virtfn: placeOptimally,
    "per-device spread": spreadPerDevice,
    random: (_topology, irqs, now) => placeAtRandom(irqs, now, random),
    greedy: placeNewOnes,
    rebuild: (topology, irqs) => placeNewOnes(topology, irqs, new Map()),
    "irqbalance (model)": (topology, irqs, now) =>
      balanceOnce(topology, irqs, placeNewOnes(topology, irqs, now)),
  } as const satisfies Readonly<Record<string, Strategy>>;
}

function placeOptimally(topology: CpuTopology, irqs: readonly IrqToPlace[], now: Placement): Placement {
  const current = new Map([...now].map(([key, cpu]) => [key, [cpu]] as const));
  const limits = { fixedLoad: new Map<number, number>(), capacity: new Map<number, number>() };
  const steps = planPlacement(topology, irqs, current, limits);
  return new Map([...now, ...steps.map((step) => [irqKey(step), step.to] as const)]);
}

/** Queue i on the i-th candidate, the same start for every device: the kernel's hints, and what scripts do. */
function spreadPerDevice(_topology: CpuTopology, irqs: readonly IrqToPlace[]): Placement {
  return new Map(
    irqs.flatMap((irq) => {
      const cpu = irq.candidates[irq.msiIndex % irq.candidates.length];
      return cpu === undefined ? [] : [[irqKey(irq), cpu] as const];
    }),
  );
}

/** Each new interrupt on any candidate; nothing moves afterwards. */
function placeAtRandom(irqs: readonly IrqToPlace[], now: Placement, random: () => number): Placement {
  return new Map(
    irqs.flatMap((irq) => {
      const cpu = now.get(irqKey(irq)) ?? irq.candidates[Math.floor(random() * irq.candidates.length)];
      return cpu === undefined ? [] : [[irqKey(irq), cpu] as const];
    }),
  );
}

/** Each new interrupt on the core, then the CPU, that has the fewest at that time; nothing moves afterwards. */
function placeNewOnes(topology: CpuTopology, irqs: readonly IrqToPlace[], now: Placement): Placement {
  const load = new NodeLoad(topology, now.values());
  const next = new Map(now);
  for (const irq of irqs) {
    if (next.has(irqKey(irq))) continue;
    const cpu = load.findLightest(irq.candidates);
    if (cpu === undefined) continue;
    load.add(cpu, 1);
    next.set(irqKey(irq), cpu);
  }
  return next;
}
