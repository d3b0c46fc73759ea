// Which CPUs share the protocol work of a receive queue.

import { describe, expect, test } from "vitest";

import { chooseRpsCpus, listRpsCandidates, type RpsCandidates } from "../../../sriov/rps.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";
import { makeTopology } from "../../support/cpu-topology.ts";

function ofPolicy(cpus: readonly number[]): RpsCandidates {
  return { cpus, isForced: false };
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
    const chosen = { cpus: [0, 1], isForced: true };
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
  [{ rps: "explicit", rpsCpus: "4-5" }, [4, 5], true],
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
  expect(listRpsCandidates(facts, vf, chosen, [7])).toEqual({ cpus, isForced });
});
