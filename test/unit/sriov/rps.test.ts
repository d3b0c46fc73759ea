// Which CPUs share the protocol work of a receive queue.

import { describe, expect, test } from "vitest";

import { chooseRpsCpus, listRpsCandidates, type RpsCandidates } from "../../../sriov/rps.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";
import { makeTopology } from "../../support/cpu-topology.ts";

function ofPolicy(cpus: readonly number[]): RpsCandidates {
  return { cpus, isForced: false, notes: [] };
}

describe("chooseRpsCpus", () => {
  test("are the candidates without the interrupt's CPU and its sibling", () => {
    const topology = makeTopology({ cores: 4, threads: 2 });
    expect(chooseRpsCpus(topology, ofPolicy([0, 2, 4, 6, 1, 3, 5, 7]), { irqCpus: [2], queues: 1 })).toEqual([
      0, 1, 4, 5, 6, 7,
    ]);
  });

  test("are none when the device has as many queues as there are candidates", () => {
    expect(
      chooseRpsCpus(makeTopology({ cores: 4 }), ofPolicy([0, 1, 2, 3]), { irqCpus: [2], queues: 4 }),
    ).toEqual([]);
  });

  test("leave out the CPUs that the kernel would cut off", () => {
    const topology = makeTopology({ cores: 4, isolated: [1], nohzFull: [2] });
    expect(chooseRpsCpus(topology, ofPolicy([0, 1, 2, 3]), { irqCpus: [0], queues: 1 })).toEqual([3]);
  });

  test("are online ones", () => {
    expect(
      chooseRpsCpus(makeTopology({ cores: 2 }), ofPolicy([0, 1, 7]), { irqCpus: [0], queues: 1 }),
    ).toEqual([1]);
  });

  test("that someone chose share the work of any number of queues", () => {
    const chosen = { cpus: [0, 1], isForced: true, notes: [] };
    expect(chooseRpsCpus(makeTopology({ cores: 4 }), chosen, { irqCpus: [0], queues: 8 })).toEqual([1]);
  });

  test("are none when only the interrupt's own core is there", () => {
    expect(
      chooseRpsCpus(makeTopology({ cores: 1, threads: 2 }), ofPolicy([0, 1]), { irqCpus: [0], queues: 1 }),
    ).toEqual([]);
  });
});

test.each([
  [{}, [7], false],
  [{ rps: "off" }, [], true],
  [{ rps: "numa" }, [0, 1, 2], true],
  [{ rps: "pod" }, [1, 2], true],
  [{ rps: "explicit", rpsCpus: "1-2" }, [1, 2], true],
])("the candidates with %j are %j", (settings, cpus, isForced) => {
  const facts = {
    topology: makeTopology({ cores: 4 }),
    exclusive: new Map([
      ["shop/web", [1, 2]],
      ["shop/db", [3]],
    ]),
    housekeeping: [],
  };
  const chosen = choosePolicy(
    parseTuningConfig(settings, "tuning").config,
    { policy: "follow-pod" },
    undefined,
  );
  const vf = { numaNode: 0, localCpus: [], pod: "shop/web" };
  expect(listRpsCandidates(facts, vf, chosen, [7])).toEqual({ cpus, isForced, notes: [] });
});

const isolated = { exclusive: [["shop/web", [1, 2, 3]]], isolated: [1], nohzFull: [2] } as const;

test.each<[string, object, Partial<typeof isolated>, readonly string[]]>([
  ["a pod without CPUs of its own", { rps: "pod" }, {}, ["the pod has no CPUs for itself, using no RPS"]],
  [
    "CPUs of the pod that the kernel does not allow",
    { rps: "pod" },
    isolated,
    ["CPUs 1-2 of the pod's own are isolated or nohz_full: RPS is without them"],
  ],
  [
    "CPUs of the list that are not there, or that the kernel does not allow",
    { rps: "explicit", rpsCpus: "0-2,4-5" },
    isolated,
    [
      "CPUs 4-5 of the list 0-2,4-5 are not online: RPS is without them",
      "CPUs 1-2 of the list 0-2,4-5 are isolated or nohz_full: RPS is without them",
    ],
  ],
  [
    "no CPU of the list",
    { rps: "explicit", rpsCpus: "4" },
    {},
    ["CPUs 4 of the list 4 are not online: RPS is without them", "none is left, using no RPS"],
  ],
  ["a VF that is left alone", { rps: "explicit", rpsCpus: "4", policy: "none" }, {}, []],
  ["a VF that is left alone, of a pod without CPUs of its own", { rps: "pod", policy: "none" }, {}, []],
])("tells of %s", (_, settings, { exclusive = [], ...cut }, notes) => {
  const facts = {
    topology: makeTopology({ cores: 4, ...cut }),
    exclusive: new Map(exclusive),
    housekeeping: [],
  };
  const chosen = choosePolicy(parseTuningConfig(settings, "tuning").config, {}, undefined);
  const vf = { numaNode: 0, localCpus: [], pod: "shop/web" };
  expect(listRpsCandidates(facts, vf, chosen, [7]).notes).toEqual(notes);
});
