// How much worse a strategy's placement is than a flow of least cost, worked out apart from virtfn, at some moments of a scenario.

import { irqKey } from "../../../sriov/placement.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { findFlowScore } from "../../support/placement-flow.ts";
import { scorePlacement } from "../../support/placement-score.ts";
import type { PodEvent } from "./pod-events.ts";
import { keepAttached } from "./run-scenario.ts";
import type { Placement, Strategy } from "./strategies.ts";

/** `loads`: events whose sorted loads of cores or CPUs are others; `moves`: more than the flow has, where the loads are the same. */
export interface FlowExcess {
  readonly events: number;
  readonly loads: number;
  readonly moves: number;
}

/** At so many of the moments, evenly over all; the last is one of them. */
export function measureExcess(
  topology: CpuTopology,
  moments: readonly PodEvent[],
  place: Strategy,
  samples: number,
): FlowExcess {
  const every = Math.max(1, Math.floor(moments.length / samples));
  let now: Placement = new Map();
  return sumExcess(
    moments.flatMap(({ irqs }, at) => {
      const kept = keepAttached(irqs, now);
      now = place(topology, irqs, kept);
      if ((moments.length - 1 - at) % every !== 0) return [];
      const cpusOf = (placement: Placement) => irqs.map((irq) => placement.get(irqKey(irq)));
      const limits = { fixedLoad: new Map<number, number>(), capacity: new Map<number, number>() };
      const problem = { topology, irqs, pinned: cpusOf(kept), limits };
      const [own, flow] = [scorePlacement(problem, cpusOf(now)), findFlowScore(problem)];
      const isSame = [own.cores, own.cpus].join(" ") === [flow.cores, flow.cpus].join(" ");
      return [{ events: 1, loads: isSame ? 0 : 1, moves: isSame ? own.moves - flow.moves : 0 }];
    }),
  );
}

export function sumExcess(all: readonly FlowExcess[]): FlowExcess {
  return all.reduce(
    (sum, one) => ({
      events: sum.events + one.events,
      loads: sum.loads + one.loads,
      moves: sum.moves + one.moves,
    }),
    { events: 0, loads: 0, moves: 0 },
  );
}
