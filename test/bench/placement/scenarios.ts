// Nodes and their pods coming and going, made up from a seed: every strategy sees the same events.

import { listCandidates } from "../../../sriov/candidates.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";
import { makeTopology, type TopologyShape } from "../../support/cpu-topology.ts";

/** `limitedShare`: the part of the pods whose interrupts may only use two or three CPUs. */
export interface Scenario {
  readonly name: string;
  readonly shape: TopologyShape;
  readonly vfs: number;
  readonly queues: number;
  readonly limitedShare: number;
  readonly events: number;
  readonly goals: { readonly movesPerEvent: number; readonly msPerEvent: number };
}

/** The interrupts of all pods after a pod came or went. */
export interface PodEvent {
  readonly irqs: readonly IrqToPlace[];
}

/** The three scenarios that others were measured in, and the largest node. */
export const scenarios: readonly Scenario[] = [
  {
    name: "8 CPUs, 6 VFs x 2 queues",
    shape: { cores: 8 },
    vfs: 6,
    queues: 2,
    limitedShare: 0,
    events: 2000,
    goals: { movesPerEvent: 1.2, msPerEvent: 1 },
  },
  {
    name: "2 x 16 CPUs, 64 VFs x 4 queues",
    shape: { cores: 16, nodes: 2 },
    vfs: 64,
    queues: 4,
    limitedShare: 0,
    events: 2000,
    goals: { movesPerEvent: 1.2, msPerEvent: 1 },
  },
  {
    name: "2 x 16 CPUs, 64 VFs x 4 queues, half the pods limited to 2-3 CPUs",
    shape: { cores: 16, nodes: 2 },
    vfs: 64,
    queues: 4,
    limitedShare: 0.5,
    events: 2000,
    goals: { movesPerEvent: 1.2, msPerEvent: 1 },
  },
  {
    name: "2 x 64 cores with SMT, 256 VFs x 8 queues",
    shape: { cores: 64, threads: 2, nodes: 2, coresPerCache: 8 },
    vfs: 256,
    queues: 8,
    limitedShare: 0,
    events: 500,
    goals: { movesPerEvent: 2.5, msPerEvent: 10 },
  },
];

/** The events of a scenario, one at a time: a VF drawn at random is given to a pod, or back. */
export function* listEvents(scenario: Scenario, topology: CpuTopology, seed: number): Generator<PodEvent> {
  const random = createRandom(seed);
  const byNode = [...topology.nodes.keys()].map(
    (numaNode) =>
      listCandidates(
        { topology, exclusive: new Map(), housekeeping: [] },
        { numaNode, localCpus: [], pod: undefined },
        choosePolicy(parseTuningConfig({}, "tuning").config, {}, undefined),
      ).cpus,
  );
  const attached = new Map<number, readonly IrqToPlace[]>();
  for (let event = 0; event < scenario.events; event += 1) {
    const vf = Math.floor(random() * scenario.vfs);
    const ofNode = byNode[vf % byNode.length] ?? [];
    if (!attached.delete(vf)) {
      const isLimited = random() < scenario.limitedShare;
      const candidates = isLimited ? pick(ofNode, 2 + Math.floor(random() * 2), random) : ofNode;
      attached.set(vf, listIrqs(vf, scenario.queues, candidates));
    }
    yield { irqs: [...attached.values()].flat() };
  }
}

/** The CPUs of a scenario's node. */
export function topologyOf({ shape }: Scenario): CpuTopology {
  return makeTopology(shape);
}

function listIrqs(vf: number, queues: number, candidates: readonly number[]): readonly IrqToPlace[] {
  const bus = (0x3b + (vf >> 8)).toString(16);
  const device = ((vf >> 3) & 31).toString(16).padStart(2, "0");
  const address = parsePciAddress(`0000:${bus}:${device}.${vf & 7}`);
  return Array.from({ length: queues }, (_, msiIndex) => ({
    vf: address,
    msiIndex,
    candidates,
    near: [],
    direction: "both" as const,
  }));
}

function pick(cpus: readonly number[], count: number, random: () => number): readonly number[] {
  const ranked = cpus.map((cpu) => ({ cpu, at: random() })).toSorted((a, b) => a.at - b.at);
  return ranked.slice(0, count).map(({ cpu }) => cpu);
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
