// Pods coming and going on a node, made up from a seed: every strategy sees the same events.

import { listCandidates } from "../../../sriov/candidates.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import type { CpuTopology } from "../../../sriov/topology.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";
import { createRandom } from "./random.ts";
import type { EventModel, Scenario } from "./scenarios.ts";

/** After a pod came or went: how many there are, with one VF each, and the interrupts of all. */
export interface PodEvent {
  readonly pods: number;
  readonly irqs: readonly IrqToPlace[];
}

/** Which VF is next to be given to a pod, or back by the pod that has it (`taken`). */
type ChooseVf = (vfs: number, taken: ReadonlySet<number>, random: () => number) => number;

const models: Readonly<Record<EventModel, ChooseVf>> = {
  /** Any VF: after a while half of them are in use, and it stays about so. */
  toggle: (vfs, _taken, random) => Math.floor(random() * vfs),
  /** A coin tells whether a pod comes or goes, where both are possible: the number of pods drifts anywhere. */
  coin: (vfs, taken, random) => {
    const isComing = taken.size === 0 || (taken.size < vfs && random() < 0.5);
    const eligible = Array.from({ length: vfs }, (_, vf) => vf).filter((vf) => taken.has(vf) !== isComing);
    const vf = eligible[Math.floor(random() * eligible.length)];
    if (vf === undefined) throw new RangeError(`no VF of ${vfs} can ${isComing ? "come" : "go"}`);
    return vf;
  },
};

/** The events of a run, one at a time, from an empty node. */
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
    const vf = models[scenario.model](scenario.vfs, new Set(attached.keys()), random);
    const ofNode = byNode[vf % byNode.length] ?? [];
    if (!attached.delete(vf)) {
      const isLimited = random() < scenario.limitedShare;
      const candidates = isLimited ? pick(ofNode, 2 + Math.floor(random() * 2), random) : ofNode;
      attached.set(vf, listIrqs(vf, scenario.queues, candidates));
    }
    yield { pods: attached.size, irqs: [...attached.values()].flat() };
  }
}

/** The interrupts of the VF with that number. */
export function listIrqs(vf: number, queues: number, candidates: readonly number[]): readonly IrqToPlace[] {
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

/** So many of the CPUs, in any order. */
export function pick(cpus: readonly number[], count: number, random: () => number): readonly number[] {
  const ranked = cpus.map((cpu) => ({ cpu, at: random() })).toSorted((a, b) => a.at - b.at);
  return ranked.slice(0, count).map(({ cpu }) => cpu);
}
