// Which CPUs share the protocol work of a receive queue.

import { describe, expect, test } from "vitest";

import { chooseRpsCpus } from "../../../sriov/rps.ts";
import { makeTopology } from "../../support/cpu-topology.ts";

describe("chooseRpsCpus", () => {
  test("are the candidates without the interrupt's CPU and its sibling", () => {
    const topology = makeTopology({ cores: 4, threads: 2 });
    expect(chooseRpsCpus(topology, [0, 2, 4, 6, 1, 3, 5, 7], { irqCpus: [2], queues: 1 })).toEqual([
      0, 1, 4, 5, 6, 7,
    ]);
  });

  test("are none when the device has as many queues as there are candidates", () => {
    expect(chooseRpsCpus(makeTopology({ cores: 4 }), [0, 1, 2, 3], { irqCpus: [2], queues: 4 })).toEqual([]);
  });

  test("leave out the CPUs that the kernel would cut off", () => {
    const topology = makeTopology({ cores: 4, isolated: [1], nohzFull: [2] });
    expect(chooseRpsCpus(topology, [0, 1, 2, 3], { irqCpus: [0], queues: 1 })).toEqual([3]);
  });

  test("are none when only the interrupt's own core is there", () => {
    expect(
      chooseRpsCpus(makeTopology({ cores: 1, threads: 2 }), [0, 1], { irqCpus: [0], queues: 1 }),
    ).toEqual([]);
  });
});
