// The first plan for a full node, which has no pins yet: the daemon does nothing else meanwhile.

import { planPlacement } from "../../../sriov/placement.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { makeTopology } from "../../support/cpu-topology.ts";
import { listIrqs, pick } from "./pod-events.ts";
import { createRandom } from "./random.ts";

/** How long the plan took; `irqs`: how many it places. */
export interface ColdPlan {
  readonly name: string;
  readonly irqs: number;
  readonly ms: number;
}

const vfs = 1024;
const queues = 4;

/** CPUs that a VF's interrupts may go to, of a node's. */
const lists: Readonly<Record<string, (cpus: readonly number[], random: () => number) => readonly number[]>> =
  {
    "every VF the same CPUs": (cpus) => cpus,
    "every VF up to 64 CPUs of its own": (cpus, random) => pick(cpus, 1 + Math.floor(random() * 64), random),
    "every VF any number of CPUs of its own": (cpus, random) =>
      pick(cpus, 1 + Math.floor(random() * cpus.length), random),
  };

/** On 2 x 64 cores with SMT. */
export function measureColdPlans(seed: number): readonly ColdPlan[] {
  const topology = makeTopology({ cores: 64, threads: 2, nodes: 2, coresPerCache: 8 });
  return Object.entries(lists).map(([name, choose]) => ({
    name: `${vfs} VFs x ${queues} queues, ${name}`,
    irqs: vfs * queues,
    ms: measure(topology, choose, createRandom(seed)),
  }));
}

function measure(
  topology: CpuTopology,
  choose: (cpus: readonly number[], random: () => number) => readonly number[],
  random: () => number,
): number {
  const irqs = Array.from({ length: vfs }, (_, vf) =>
    listIrqs(vf, queues, choose(topology.online, random)),
  ).flat();
  const startMs = performance.now();
  planPlacement(topology, irqs, new Map(), { fixedLoad: new Map(), capacity: new Map() });
  return Math.round(performance.now() - startMs);
}
