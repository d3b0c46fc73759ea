// Which CPUs the policies allow, and in which order.

import { describe, expect, test } from "vitest";

import { choosePolicy, spreadCandidates } from "../../../sriov/tuning-policy.ts";
import { makeTopology } from "../../support/cpu-topology.ts";

describe("spreadCandidates", () => {
  test("are the CPUs of the VF's node, one thread of each core first", () => {
    const topology = makeTopology({ nodes: 2, cores: 2, threads: 2 });
    expect(spreadCandidates(topology, { numaNode: 1, localCpus: [] })).toEqual({
      cpus: [4, 6, 5, 7],
      note: undefined,
    });
  });

  test("take turns between the level-3 caches of the node", () => {
    const topology = makeTopology({ cores: 6, coresPerCache: 3 });
    expect(spreadCandidates(topology, { numaNode: 0, localCpus: [] }).cpus).toEqual([0, 3, 1, 4, 2, 5]);
  });

  test("leave isolated CPUs out", () => {
    const topology = makeTopology({ cores: 4, isolated: [1, 2] });
    expect(spreadCandidates(topology, { numaNode: 0, localCpus: [] }).cpus).toEqual([0, 3]);
  });

  test("of a VF without a node are its local CPUs, or all when it names none", () => {
    const topology = makeTopology({ nodes: 2, cores: 2 });
    expect(spreadCandidates(topology, { numaNode: undefined, localCpus: [2, 3, 9] }).cpus).toEqual([2, 3]);
    expect(spreadCandidates(topology, { numaNode: undefined, localCpus: [] }).cpus).toEqual([0, 2, 1, 3]);
  });

  test("fall back to other nodes, and say so, when the node has isolated CPUs only", () => {
    const topology = makeTopology({ nodes: 2, cores: 2, isolated: [2, 3] });
    expect(spreadCandidates(topology, { numaNode: 1, localCpus: [] })).toEqual({
      cpus: [0, 1],
      note: "no online CPU that is not isolated on NUMA node 1, using other nodes",
    });
  });

  test("are all CPUs, and say so, when every one is isolated", () => {
    const { cpus, note } = spreadCandidates(makeTopology({ cores: 2, isolated: [0, 1] }), {
      numaNode: 0,
      localCpus: [],
    });
    expect(cpus).toEqual([0, 1]);
    expect(note).toContain("every online CPU is isolated");
  });
});

test.each([
  [undefined, "numa-spread", undefined],
  ["numa-spread", "numa-spread", undefined],
  ["none", "none", undefined],
  ["follow-pod", "numa-spread", 'policy "follow-pod" is not known here, using numa-spread'],
])("the policy asked for as %s is %s", (asked, policy, note) => {
  expect(choosePolicy(asked)).toEqual({ policy, note });
});
