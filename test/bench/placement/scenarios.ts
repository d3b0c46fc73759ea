// The nodes that are measured, and how many pods come and go there in which way.

import type { CpuTopology } from "../../../sriov/topology.ts";
import { makeTopology, type TopologyShape } from "../../support/cpu-topology.ts";

/** How pods come and go: see pod-events.ts. */
export type EventModel = "toggle" | "coin";

/** `limitedShare`: the part of the pods whose interrupts may only use two or three CPUs. */
export interface Scenario {
  readonly name: string;
  readonly shape: TopologyShape;
  readonly vfs: number;
  readonly queues: number;
  readonly limitedShare: number;
  readonly model: EventModel;
  /** Runs from an empty node, each with a seed of its own. */
  readonly runs: number;
  /** Of each run. */
  readonly events: number;
  readonly goals: { readonly movesPerEvent: number; readonly msPerEvent: number };
}

/** Those of the simulation that the goals come from. */
const reference: readonly Scenario[] = [
  {
    name: "8 CPUs, 6 VFs x 2 queues",
    shape: { cores: 8 },
    vfs: 6,
    queues: 2,
    limitedShare: 0,
    model: "toggle",
    runs: 1,
    events: 2000,
    goals: { movesPerEvent: 1.2, msPerEvent: 1 },
  },
  {
    name: "2 x 16 CPUs, 64 VFs x 4 queues",
    shape: { cores: 16, nodes: 2 },
    vfs: 64,
    queues: 4,
    limitedShare: 0,
    model: "toggle",
    runs: 1,
    events: 2000,
    goals: { movesPerEvent: 1.2, msPerEvent: 1 },
  },
  {
    name: "2 x 16 CPUs, 64 VFs x 4 queues, half the pods limited to 2-3 CPUs",
    shape: { cores: 16, nodes: 2 },
    vfs: 64,
    queues: 4,
    limitedShare: 0.5,
    model: "toggle",
    runs: 1,
    events: 2000,
    goals: { movesPerEvent: 1.2, msPerEvent: 1 },
  },
];

/** Half of the VFs in use, on these and on the largest node; then these as that simulation has pods come and go. */
export const scenarios: readonly Scenario[] = [
  ...reference,
  {
    name: "2 x 64 cores with SMT, 256 VFs x 8 queues",
    shape: { cores: 64, threads: 2, nodes: 2, coresPerCache: 8 },
    vfs: 256,
    queues: 8,
    limitedShare: 0,
    model: "toggle",
    runs: 1,
    events: 500,
    goals: { movesPerEvent: 2.5, msPerEvent: 10 },
  },
  ...reference.map(walkByCoin),
];

/** The CPUs of a scenario's node. */
export function topologyOf({ shape }: Scenario): CpuTopology {
  return makeTopology(shape);
}

function walkByCoin(scenario: Scenario): Scenario {
  return { ...scenario, name: `${scenario.name}, pods by a coin`, model: "coin", runs: 10 };
}
