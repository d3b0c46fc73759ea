// Which CPUs each policy allows, in which order, why not the others, and what it falls back to.

import { describe, expect, test } from "vitest";

import { type Candidates, listCandidates } from "../../../sriov/candidates.ts";
import { formatCpuList } from "../../../sriov/cpu-list.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";
import { makeTopology, type TopologyShape } from "../../support/cpu-topology.ts";

interface Case {
  readonly shape: TopologyShape;
  readonly policy?: string;
  readonly numaNode?: number | undefined;
  readonly localCpus?: readonly number[];
  /** CPUs of the VF's own pod, "shop/web". */
  readonly own?: readonly number[];
  /** CPUs of another pod, "shop/db". */
  readonly foreign?: readonly number[];
  readonly housekeeping?: readonly number[];
  readonly settings?: object;
}

function list(given: Case): Candidates {
  const { own = [], foreign = [], housekeeping = [], localCpus = [], settings = {} } = given;
  const numaNode = "numaNode" in given ? given.numaNode : 0;
  const facts = {
    topology: makeTopology(given.shape),
    exclusive: new Map([
      ["shop/web", own],
      ["shop/db", foreign],
    ]),
    housekeeping,
  };
  const { config } = parseTuningConfig(settings, "tuning");
  return listCandidates(
    facts,
    { numaNode, localCpus, pod: "shop/web" },
    choosePolicy(config, { policy: given.policy }, undefined),
  );
}

/** "numa-spread 0 2" and notes. */
function describeIt(given: Case): string {
  const { policy, cpus, notes } = list(given);
  return [`${policy}: ${cpus.join(" ")}`, ...notes].join(" | ");
}

/** "1: isolated", CPU lists by reason. */
function reasons(given: Case): readonly string[] {
  const { leftOut } = list(given);
  const groups = Map.groupBy(leftOut.keys(), (cpu) => leftOut.get(cpu));
  return [...groups].map(([reason, cpus]) => `${formatCpuList(cpus)}: ${reason}`);
}

describe("numa-spread", () => {
  test.each<[string, Case, string]>([
    [
      "one thread of each core of the VF's node first",
      { shape: { nodes: 2, cores: 2, threads: 2 }, numaNode: 1 },
      "numa-spread: 4 6 5 7",
    ],
    ["level-3 caches in turn", { shape: { cores: 6, coresPerCache: 3 } }, "numa-spread: 0 3 1 4 2 5"],
    [
      "no isolated CPU, and none that another pod has for itself",
      { shape: { cores: 5, isolated: [1] }, own: [2], foreign: [3] },
      "numa-spread: 0 2 4",
    ],
    [
      "no isolated CPU that the pod has for itself either: only policies that go by the pod's CPUs use those",
      { shape: { cores: 5, isolated: [1, 2] }, own: [2, 4] },
      "numa-spread: 0 3 4",
    ],
    [
      "the local CPUs of a VF without a node",
      { shape: { nodes: 2, cores: 2 }, numaNode: undefined, localCpus: [2, 3, 9] },
      "numa-spread: 2 3",
    ],
    [
      "all CPUs for a VF that names no place",
      { shape: { nodes: 2, cores: 2 }, numaNode: undefined },
      "numa-spread: 0 2 1 3",
    ],
    [
      "other nodes, when its own has none",
      { shape: { nodes: 2, cores: 2, isolated: [2] }, numaNode: 1, foreign: [3] },
      "numa-spread: 0 1 | no online CPU on NUMA node 1 is free and not isolated, using other nodes",
    ],
    [
      "a node without a CPU online: other nodes",
      { shape: { cores: 2 }, numaNode: 1 },
      "numa-spread: 0 1 | no online CPU on NUMA node 1 is free and not isolated, using other nodes",
    ],
    [
      "isolated CPUs, when there are no others",
      { shape: { cores: 3, isolated: [0, 1] }, foreign: [2] },
      "numa-spread: 0 1 | every online CPU that no pod has for itself is isolated, using them all the same",
    ],
    [
      "other pods' CPUs last",
      { shape: { cores: 2 }, foreign: [0, 1] },
      "numa-spread: 0 1 | other pods have every online CPU for themselves, using them all the same",
    ],
  ])("%s", (_name, given, expected) => {
    expect(describeIt(given)).toBe(expected);
  });

  test("tells of each other CPU why it is none", () => {
    expect(reasons({ shape: { nodes: 2, cores: 4, isolated: [1] }, foreign: [2, 3] })).toEqual([
      "1: isolated",
      "2-3: exclusive to pod shop/db",
      "4-7: on NUMA node 1",
    ]);
    const nowhere = { shape: { cores: 4 }, numaNode: undefined, localCpus: [2, 3] };
    expect(reasons(nowhere)).toEqual(["0-1: not near the VF"]);
  });
});

describe("housekeeping", () => {
  const shape = { nodes: 2, cores: 2 };
  test.each<[string, Case, string]>([
    ["those of the VF's node", { shape, housekeeping: [0, 2] }, "housekeeping: 0"],
    [
      "those of another node",
      { shape, housekeeping: [2] },
      "housekeeping: 2 | no housekeeping CPU on the VF's NUMA node, using those of other nodes",
    ],
    [
      "numa-spread without any",
      { shape },
      "numa-spread: 0 1 | no housekeeping CPU is online, using numa-spread",
    ],
  ])("%s", (_name, given, expected) => {
    expect(describeIt({ ...given, policy: "housekeeping" })).toBe(expected);
  });
});

describe("policies that go by the pod's CPUs", () => {
  const smt = { cores: 4, threads: 2 };
  test.each<[string, Case, string]>([
    [
      "the pod's own CPUs, isolated ones too",
      { policy: "follow-pod", shape: { cores: 4, isolated: [2, 3] }, own: [2, 3] },
      "follow-pod: 2 3",
    ],
    [
      "first threads before their siblings",
      { policy: "follow-pod", shape: smt, own: [2, 3, 4] },
      "follow-pod: 2 4 3",
    ],
    [
      "only those that are online",
      { policy: "follow-pod", shape: { cores: 2 }, own: [1, 7] },
      "follow-pod: 1",
    ],
    [
      "numa-spread for a pod with shared CPUs",
      { policy: "follow-pod", shape: { cores: 2 } },
      "numa-spread: 0 1 | the pod has no CPUs for itself, using numa-spread",
    ],
    [
      "the free siblings of the pod's CPUs",
      { policy: "pod-sibling", shape: smt, own: [2, 4], foreign: [5] },
      "pod-sibling: 3",
    ],
    [
      "siblings that are the pod's own",
      { policy: "pod-sibling", shape: smt, own: [2, 3] },
      "pod-sibling: 2 3",
    ],
    [
      "CPUs of the same cache where there is no sibling",
      { policy: "pod-sibling", shape: { cores: 8, coresPerCache: 4 }, own: [4], foreign: [5] },
      "pod-sibling: 6 7 | no hyperthread sibling of the pod's CPUs is free or the pod's own, using CPUs that share their level-3 cache",
    ],
    [
      "numa-spread where the cache has no free CPU",
      { policy: "pod-sibling", shape: { cores: 4, coresPerCache: 1 }, own: [1] },
      "numa-spread: 0 1 2 3 | no CPU that shares a level-3 cache with the pod's CPUs is free, using numa-spread",
    ],
    [
      "the core of the pod's first CPU",
      { policy: "pod-first-core", shape: smt, own: [3, 4] },
      "pod-first-core: 2 3",
    ],
    [
      "the core of the pod's first CPU, isolated as it is",
      { policy: "pod-first-core", shape: { ...smt, isolated: [2, 3] }, own: [2, 3] },
      "pod-first-core: 2 3",
    ],
    [
      "siblings that are the pod's own and isolated, and none that is isolated and nobody's",
      { policy: "pod-sibling", shape: { ...smt, isolated: [2, 3, 5] }, own: [2, 3, 4] },
      "pod-sibling: 2 3",
    ],
    [
      "without a sibling that another pod has",
      { policy: "pod-first-core", shape: smt, own: [3, 4], foreign: [2] },
      "pod-first-core: 3",
    ],
  ])("%s", (_name, given, expected) => {
    expect(describeIt(given)).toBe(expected);
  });

  test("want to be near to the pod's CPUs, and follow-pod deals the queues out", () => {
    const { near, isByQueue } = list({ policy: "follow-pod", shape: smt, own: [2] });
    expect({ near, isByQueue }).toEqual({ near: [2], isByQueue: true });
    expect(list({ policy: "pod-sibling", shape: smt, own: [2] }).isByQueue).toBe(false);
  });
});

describe("dedicated", () => {
  const shape = { nodes: 2, cores: 17, threads: 2 };
  test.each<[string, Case, string]>([
    ["a whole core for each 16 of the node", { shape }, "dedicated: 0 2 1 3"],
    ["as many as the node says", { shape, settings: { coresPerNode: 1 }, numaNode: 1 }, "dedicated: 34 35"],
    [
      "housekeeping cores first, then cores that no pod has a CPU of",
      { shape, housekeeping: [8, 9], own: [0], foreign: [3] },
      "dedicated: 4 8 5 9",
    ],
    [
      "fewer, and says so",
      { shape: { cores: 2 }, foreign: [0], settings: { coresPerNode: 2 } },
      "dedicated: 1 | 1 of 2 cores are free to be dedicated on the VF's NUMA node",
    ],
    [
      "numa-spread where no core is free",
      { shape: { cores: 2 }, foreign: [0], own: [1] },
      "numa-spread: 1 | no core of the VF's NUMA node is free to be dedicated, using numa-spread",
    ],
  ])("%s", (_name, given, expected) => {
    expect(describeIt({ ...given, policy: "dedicated" })).toBe(expected);
  });
});

describe("explicit", () => {
  const shape = { nodes: 2, cores: 2 };
  test.each<[object, string]>([
    [{ cpus: "1,3" }, "explicit: 1 3"],
    [{ cpus: "3,9" }, "explicit: 3 | CPUs 9 of the list 3,9 are not online"],
    [{ cpus: "9" }, "numa-spread: 0 1 | no CPU of the list 9 is online, using numa-spread"],
    [
      {},
      "numa-spread: 0 1 | policy explicit has no list of CPUs (tuning.cpus in node.yaml), using numa-spread",
    ],
  ])("with %j: %s", (settings, expected) => {
    expect(describeIt({ policy: "explicit", shape, settings })).toBe(expected);
  });
});

test("none has no candidates, and nothing to say", () => {
  expect(describeIt({ policy: "none", shape: { cores: 2 } })).toBe("none: ");
});
