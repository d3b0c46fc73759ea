// The placement against every other placement there is, on machines and demands that fast-check makes up.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { irqKey, planPlacement } from "../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../sriov/placement-model.ts";
import { makeTopology } from "../../support/cpu-topology.ts";
import { findFlowScore } from "../../support/placement-flow.ts";
import { findLeastLoads } from "../../support/semi-matching.ts";
import { findBestScore, type PlacementProblem, scorePlacement } from "../../support/placement-score.ts";

/** At most `most` placements to try. */
function problems(most: number): fc.Arbitrary<PlacementProblem> {
  const shapes = fc.constantFrom(
    { cores: 3 },
    { cores: 5 },
    { cores: 2, threads: 2 },
    { cores: 3, threads: 2, coresPerCache: 2 },
    { cores: 4, threads: 2, coresPerCache: 2 },
    { cores: 2, threads: 2, nodes: 2 },
    { cores: 2, threads: 3 },
  );
  return shapes.chain((shape) => {
    const topology = makeTopology(shape);
    const cpus = [...topology.online];
    const cpu = fc.constantFrom(...cpus);
    const some = fc.shuffledSubarray(cpus, { minLength: 1, maxLength: Math.min(4, cpus.length) });
    const counts = fc.array(fc.tuple(cpu, fc.nat(3)), { maxLength: 3 }).map((pairs) => new Map(pairs));
    const irq = fc.record({
      candidates: some,
      near: fc.subarray(cpus, { maxLength: 2 }),
      now: fc.option(cpu),
    });
    return fc
      .record({
        irqs: fc.array(irq, { minLength: 1, maxLength: 8 }),
        fixedLoad: counts,
        capacity: counts,
        isFull: fc.boolean(),
      })
      .filter(({ irqs }) => irqs.reduce((product, { candidates }) => product * candidates.length, 1) <= most)
      .map(({ irqs, fixedLoad, capacity, isFull }) => ({
        topology,
        irqs: irqs.map(({ candidates, near }, at) => makeIrq(at, candidates, near)),
        pinned: irqs.map(({ now }) => now ?? undefined),
        limits: { fixedLoad, capacity: isFull ? capacity : new Map<number, number>() },
      }));
  });
}

function makeIrq(at: number, candidates: readonly number[], near: readonly number[]): IrqToPlace {
  return {
    vf: parsePciAddress(`0000:3b:${(at >> 4).toString(16).padStart(2, "0")}.${(at >> 1) % 8}`),
    msiIndex: at & 1,
    candidates,
    near,
    direction: "both",
  };
}

function place({ topology, irqs, pinned, limits }: PlacementProblem): readonly (number | undefined)[] {
  const current = new Map(
    irqs.flatMap((irq, at) => (pinned[at] === undefined ? [] : [[irqKey(irq), [pinned[at]]]])),
  );
  const steps = planPlacement(topology, irqs, current, limits);
  return irqs.map((irq, at) => {
    const step = steps.find((each) => irqKey(each) === irqKey(irq));
    const now = pinned[at];
    if (step !== undefined) return step.to;
    return now !== undefined && irq.candidates.includes(now) ? now : undefined;
  });
}

test("no placement is better: cores, then CPUs, then distance, then moves", () => {
  fc.assert(
    fc.property(problems(20_000), (problem) => {
      expect(scorePlacement(problem, place(problem))).toEqual(findBestScore(problem));
    }),
    { numRuns: 300 },
  );
});

test("the flow of least cost that larger problems are held to is the best of all on small ones", () => {
  fc.assert(
    fc.property(problems(5_000), (problem) => {
      expect(findFlowScore(problem)).toEqual(findBestScore(problem));
    }),
  );
});

/** More interrupts than can be tried out, with pins, CPUs to be near, load that is there, and CPUs that are full. */
const large = fc
  .record({
    sets: fc.array(fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 8,
    }),
    nears: fc.array(fc.uniqueArray(fc.nat(15), { maxLength: 2 }), { minLength: 1, maxLength: 3 }),
    picks: fc.array(fc.tuple(fc.nat(7), fc.nat(2), fc.option(fc.nat(15))), {
      minLength: 65,
      maxLength: 140,
    }),
    fixed: fc.array(fc.tuple(fc.nat(15), fc.nat(4)), { maxLength: 4 }),
    full: fc.array(fc.tuple(fc.nat(15), fc.nat(6)), { maxLength: 3 }),
  })
  .map(({ sets, nears, picks, fixed, full }): PlacementProblem => ({
    topology: makeTopology({ cores: 4, threads: 2, nodes: 2, coresPerCache: 2 }),
    irqs: picks.map(([set, near], at) =>
      makeIrq(at, sets[set % sets.length] ?? [], nears[near % nears.length] ?? []),
    ),
    pinned: picks.map(([, , now]) => now ?? undefined),
    limits: { fixedLoad: new Map(fixed), capacity: new Map(full) },
  }));

test("above 64 interrupts, too, there is no excess over a flow of least cost, in load, distance or moves", () => {
  fc.assert(
    fc.property(large, (problem) => {
      expect(scorePlacement(problem, place(problem))).toEqual(findFlowScore(problem));
    }),
    { numRuns: 40 },
  );
});

/** Up to 60 interrupts with candidates of any kind: more than can be tried out. */
const crowds = fc.record({
  sets: fc.array(fc.uniqueArray(fc.nat(15), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 }),
  picks: fc.array(fc.tuple(fc.nat(5), fc.option(fc.nat(15))), { minLength: 9, maxLength: 60 }),
  fixed: fc.array(fc.tuple(fc.nat(15), fc.nat(4)), { maxLength: 4 }),
});

test("the cores of many interrupts are loaded as in an optimal semi-matching, and no CPU could give one to its sibling", () => {
  fc.assert(
    fc.property(crowds, ({ sets, picks, fixed }) => {
      const topology = makeTopology({ cores: 8, threads: 2 });
      const irqs = picks.map(([set], at) => makeIrq(at, sets[set % sets.length] ?? [], []));
      const limits = { fixedLoad: new Map(fixed), capacity: new Map<number, number>() };
      const problem = { topology, irqs, pinned: picks.map(([, now]) => now ?? undefined), limits };
      const chosen = place(problem);
      const coreOf = (cpu: number): string => topology.cpus.get(cpu)?.core ?? "";
      const demands = irqs.map(({ candidates }) => [...new Set(candidates.map(coreOf))]);
      const fixedOfCores = new Map(topology.online.map((cpu) => [coreOf(cpu), 0]));
      for (const [cpu, count] of limits.fixedLoad)
        fixedOfCores.set(coreOf(cpu), (fixedOfCores.get(coreOf(cpu)) ?? 0) + count);
      expect(scorePlacement(problem, chosen).cores).toEqual(findLeastLoads(demands, fixedOfCores));
      const load = (cpu: number): number =>
        (limits.fixedLoad.get(cpu) ?? 0) + chosen.filter((each) => each === cpu).length;
      const better = chosen.flatMap((cpu, at) =>
        (irqs[at]?.candidates ?? []).filter(
          (other) => cpu !== undefined && coreOf(other) === coreOf(cpu) && load(other) + 1 < load(cpu),
        ),
      );
      expect(better).toEqual([]);
    }),
  );
});
