// Which CPUs send through which queue.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatCpuList } from "../../../sriov/cpu-list.ts";
import { distanceTo } from "../../../sriov/placement-model.ts";
import { chooseXpsCpus } from "../../../sriov/xps.ts";
import { makeTopology, type TopologyShape } from "../../support/cpu-topology.ts";

test.each<[string, TopologyShape, readonly number[], readonly string[]]>([
  ["one queue has all CPUs", { cores: 4 }, [2], ["0-3"]],
  ["a queue for each CPU: each has its own", { cores: 4 }, [3, 1, 0, 2], ["3", "1", "0", "2"]],
  ["the CPUs of a cache go with its queue", { cores: 4, coresPerCache: 2 }, [0, 3], ["0-1", "2-3"]],
  ["a hyperthread goes with its core", { cores: 2, threads: 2 }, [1, 2], ["0-1", "2-3"]],
  ["queues on both threads of a core", { cores: 1, threads: 2 }, [1, 0], ["1", "0"]],
  ["CPUs as far from both are dealt out", { cores: 2, nodes: 2 }, [0, 1], ["0,2", "1,3"]],
  ["queues on one CPU share", { cores: 4 }, [1, 1], ["1-2", "0,3"]],
])("%s", (_, shape, irqs, expected) => {
  const chosen = chooseXpsCpus(makeTopology(shape), new Map(irqs.entries()));
  expect([...chosen.values()].map(formatCpuList)).toEqual(expected);
});

test("every online CPU has one queue", () => {
  const topology = makeTopology({ cores: 8, threads: 2, nodes: 2, coresPerCache: 4 });
  const chosen = chooseXpsCpus(topology, new Map([0, 5, 9, 30].entries()));
  expect([...chosen.values()].flat().toSorted((a, b) => a - b)).toEqual(topology.online);
  expect([...chosen.values()].map((cpus) => cpus.length)).toEqual([4, 4, 8, 16]);
});

const shape = fc.record({
  cores: fc.integer({ min: 1, max: 6 }),
  threads: fc.integer({ min: 1, max: 3 }),
  nodes: fc.integer({ min: 1, max: 3 }),
  coresPerCache: fc.integer({ min: 1, max: 3 }),
});

test("each CPU has a queue that is as near as any, also with interrupts on CPUs that are offline", () => {
  fc.assert(
    fc.property(shape, fc.array(fc.nat(60), { minLength: 1, maxLength: 9 }), (machine, irqs) => {
      const topology = makeTopology(machine);
      const chosen = chooseXpsCpus(topology, new Map(irqs.entries()));
      const away = (cpu: number, irqCpu: number): number =>
        cpu === irqCpu ? -1 : distanceTo(topology, cpu, [irqCpu]);
      for (const [queue, cpus] of chosen)
        for (const cpu of cpus)
          expect(away(cpu, irqs[queue] ?? -1)).toBe(Math.min(...irqs.map((irqCpu) => away(cpu, irqCpu))));
      expect([...chosen.values()].flat().toSorted((a, b) => a - b)).toEqual(topology.online);
    }),
  );
});
