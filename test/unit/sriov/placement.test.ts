// Properties and examples of the placement of interrupts over CPUs.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { irqKey, type PinStep, planPlacement } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import { makeTopology } from "../../support/cpu-topology.ts";

const nothingFixed = { fixedLoad: new Map<number, number>(), capacity: new Map<number, number>() };

function irqsOf(vfs: number, queues: number, candidates: readonly number[]): readonly IrqToPlace[] {
  return Array.from({ length: vfs * queues }, (_, at) => ({
    vf: parsePciAddress(
      `0000:3b:${(2 + (at >> 3)).toString(16).padStart(2, "0")}.${(Math.floor(at / queues) % 8).toString()}`,
    ),
    msiIndex: at,
    candidates,
    near: [],
    direction: "both" as const,
  }));
}

function apply(
  current: ReadonlyMap<string, readonly number[]>,
  steps: readonly PinStep[],
): ReadonlyMap<string, readonly number[]> {
  return new Map([
    ...current,
    ...steps.map((step): [string, readonly number[]] => [irqKey(step), [step.to]]),
  ]);
}

function loads(current: ReadonlyMap<string, readonly number[]>, cpus: readonly number[]): readonly number[] {
  return cpus.map(
    (cpu) => [...current.values()].filter((affinity) => affinity.length === 1 && affinity[0] === cpu).length,
  );
}

describe("planPlacement", () => {
  test("pins the queues of two VFs to different physical cores before any sibling", () => {
    const topology = makeTopology({ cores: 4, threads: 2 });
    const steps = planPlacement(topology, irqsOf(2, 2, [0, 1, 2, 3, 4, 5, 6, 7]), new Map(), nothingFixed);
    expect(steps.map((step) => step.to)).toEqual([0, 2, 4, 6]);
  });

  test("leaves what is well placed and gives the newcomer the lightest CPU", () => {
    const topology = makeTopology({ cores: 4 });
    const irqs = irqsOf(4, 1, [0, 1, 2, 3]);
    const current = new Map(
      irqs.slice(0, 3).map((irq, at): [string, readonly number[]] => [irqKey(irq), [3 - at]]),
    );
    expect(planPlacement(topology, irqs, current, nothingFixed)).toEqual([
      { vf: irqs[3]?.vf, msiIndex: 3, from: [], to: 0 },
    ]);
  });

  test("moves one interrupt, and only one, from a CPU that has two more than another", () => {
    const topology = makeTopology({ cores: 2 });
    const irqs = irqsOf(3, 1, [0, 1]);
    const current = new Map(irqs.map((irq): [string, readonly number[]] => [irqKey(irq), [0]]));
    expect(planPlacement(topology, irqs, current, nothingFixed)).toHaveLength(1);
  });

  test("spreads receive interrupts over all CPUs, not over every other one", () => {
    const topology = makeTopology({ cores: 2 });
    const irqs = irqsOf(4, 2, [0, 1]).map((irq, at): IrqToPlace =>
      Object.assign({}, irq, { direction: at % 2 === 0 ? "tx" : "rx" }),
    );
    const steps = planPlacement(topology, irqs, new Map(), nothingFixed);
    expect(steps.map((step) => step.to)).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  });

  test("counts interrupts that cannot move as load", () => {
    const topology = makeTopology({ cores: 2 });
    const steps = planPlacement(topology, irqsOf(1, 1, [0, 1]), new Map(), {
      ...nothingFixed,
      fixedLoad: new Map([[0, 1]]),
    });
    expect(steps.map((step) => step.to)).toEqual([1]);
  });

  test("pins a wide affinity again even where the kernel happens to deliver to the right CPU", () => {
    const topology = makeTopology({ cores: 2 });
    const irqs = irqsOf(1, 1, [0, 1]);
    const steps = planPlacement(
      topology,
      irqs,
      new Map([[irqKey(irqs[0] as IrqToPlace), [0, 1]]]),
      nothingFixed,
    );
    expect(steps).toEqual([{ vf: irqs[0]?.vf, msiIndex: 0, from: [0, 1], to: 0 }]);
  });

  test("gives the places of interrupts that change CPUs to no newcomer, where there are too few", () => {
    const topology = makeTopology({ cores: 2 });
    const near = [[1], [1], [1], [0], [0]];
    const irqs = irqsOf(5, 1, [0, 1]).map((irq, at): IrqToPlace =>
      Object.assign({}, irq, { near: near[at] ?? [] }),
    );
    const keys = irqs.map(irqKey);
    const current = new Map([
      [keys[2] ?? "", [0]],
      [keys[4] ?? "", [1]],
    ]);
    const capacity = new Map([
      [0, 2],
      [1, 2],
    ]);
    const steps = planPlacement(topology, irqs, current, { fixedLoad: new Map(), capacity });
    expect(steps.map(({ msiIndex, from, to }) => [msiIndex, from, to])).toEqual([
      [0, [], 1],
      [2, [0], 1],
      [3, [], 0],
      [4, [1], 0],
    ]);
  });

  test("puts nothing on a full CPU, not even in place of what leaves it", () => {
    const topology = makeTopology({ cores: 2 });
    const [own, other] = irqsOf(2, 1, [0, 1]) as [IrqToPlace, IrqToPlace];
    const irqs = [
      { ...own, near: [1] },
      { ...other, near: [0] },
    ];
    const current = new Map([
      [irqKey(own), [0]],
      [irqKey(other), [1]],
    ]);
    const full = { fixedLoad: new Map<number, number>(), capacity: new Map([[0, 0]]) };
    expect(planPlacement(topology, irqs, current, nothingFixed)).toHaveLength(2);
    expect(planPlacement(topology, irqs, current, full)).toEqual([]);
  });

  test("gives no step to an interrupt whose candidates are all offline", () => {
    const topology = makeTopology({ cores: 2 });
    expect(planPlacement(topology, irqsOf(1, 1, [7]), new Map(), nothingFixed)).toEqual([]);
  });

  const cases = fc.integer({ min: 1, max: 6 }).chain((cores) =>
    fc.integer({ min: 1, max: 2 }).chain((threads) => {
      const cpus = Array.from({ length: cores * threads }, (_, cpu) => cpu);
      return fc.record({
        topology: fc.constant(makeTopology({ cores, threads })),
        cpus: fc.constant(cpus),
        affinities: fc.array(fc.subarray(cpus), { minLength: 1, maxLength: 24 }),
        choices: fc.array(fc.subarray(cpus, { minLength: 1 }), { minLength: 24, maxLength: 24 }),
        order: fc.integer(),
      });
    }),
  );

  test("is idempotent, on candidates only, and independent of input order", () => {
    fc.assert(
      fc.property(cases, ({ topology, affinities, choices, order }) => {
        const irqs = irqsOf(affinities.length, 1, []).map(({ vf, msiIndex }, at) => ({
          vf,
          msiIndex,
          candidates: choices[at] ?? [],
          near: [],
          direction: "both" as const,
        }));
        const current = new Map(
          irqs.map((irq, at): [string, readonly number[]] => [irqKey(irq), affinities[at] ?? []]),
        );
        const steps = planPlacement(topology, irqs, current, nothingFixed);
        const after = apply(current, steps);
        for (const irq of irqs) expect(irq.candidates).toContain(after.get(irqKey(irq))?.[0]);
        expect([...after.values()].every((affinity) => affinity.length === 1)).toBe(true);
        expect(planPlacement(topology, irqs, after, nothingFixed)).toEqual([]);
        const shuffled = irqs.toSorted(
          (a, b) => ((a.msiIndex * 7919 + order) % 31) - ((b.msiIndex * 7919 + order) % 31),
        );
        expect(planPlacement(topology, shuffled, current, nothingFixed)).toEqual(steps);
      }),
    );
  });

  test("loads CPUs that are candidates of all within one of each other", () => {
    fc.assert(
      fc.property(cases, ({ topology, cpus, affinities }) => {
        const irqs = irqsOf(affinities.length, 1, cpus);
        const current = new Map(
          irqs.map((irq, at): [string, readonly number[]] => [irqKey(irq), affinities[at] ?? []]),
        );
        const after = loads(apply(current, planPlacement(topology, irqs, current, nothingFixed)), cpus);
        expect(Math.max(...after)).toBe(Math.ceil(irqs.length / cpus.length));
      }),
    );
  });
});
