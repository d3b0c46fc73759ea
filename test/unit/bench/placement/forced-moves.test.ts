// Tests test/bench/placement/forced-moves.ts.

import { describe, expect, test } from "vitest";

import { countForcedMoves } from "../../../bench/placement/forced-moves.ts";
import { listMoments, runStrategy } from "../../../bench/placement/run-scenario.ts";
import { scenarios, topologyOf } from "../../../bench/placement/scenarios.ts";
import { createStrategies } from "../../../bench/placement/strategies.ts";
import { parsePciAddress } from "../../../../sriov/pci-address.ts";
import { irqKey } from "../../../../sriov/placement.ts";
import type { IrqToPlace } from "../../../../sriov/placement-model.ts";
import { makeTopology } from "../../../support/cpu-topology.ts";

const topology = makeTopology({ cores: 4 });
const anywhere = [0, 1, 2, 3];

function irqOf(msiIndex: number, candidates: readonly number[]): IrqToPlace {
  return { vf: parsePciAddress("0000:3b:02.0"), msiIndex, candidates, near: [], direction: "both" };
}

/** Interrupts of one candidate set, and where the first of them are. */
function place(irqs: readonly IrqToPlace[], cpus: readonly number[]): ReadonlyMap<string, number> {
  return new Map(
    irqs.flatMap((irq, at) => {
      const cpu = cpus[at];
      return cpu === undefined ? [] : [[irqKey(irq), cpu] as const];
    }),
  );
}

describe("countForcedMoves", () => {
  test("new interrupts drive out as many as there is no room for below the highest load", () => {
    const old = anywhere.map((at) => irqOf(at, anywhere));
    const fresh = [4, 5, 6, 7].map((at) => irqOf(at, [0, 1]));
    const irqs = [...old, ...fresh];
    const kept = place(old, [0, 1, 2, 3]);
    expect(countForcedMoves(topology, irqs, kept, place(irqs, [2, 3, 2, 3, 0, 0, 1, 1]))).toBe(2);
  });

  test("what new interrupts find room for drives nothing out", () => {
    const irqs = [0, 1, 2, 3].map((at) => irqOf(at, anywhere));
    expect(countForcedMoves(topology, irqs, new Map(), place(irqs, [0, 1, 2, 3]))).toBe(0);
  });

  test("holes of a pod that went are filled as far as the loads are to be even", () => {
    const irqs = [0, 1, 2, 3].map((at) => irqOf(at, anywhere));
    expect(countForcedMoves(topology, irqs, place(irqs, [0, 0, 1, 1]), place(irqs, [0, 2, 1, 3]))).toBe(2);
  });

  test("loads that only change places force nothing", () => {
    const irqs = [0, 1, 2].map((at) => irqOf(at, anywhere));
    expect(countForcedMoves(topology, irqs, place(irqs, [0, 0, 1]), place(irqs, [2, 2, 3]))).toBe(0);
  });

  test.each(scenarios.filter(({ vfs }) => vfs <= 64))("no event of '$name' has fewer moves", (scenario) => {
    const moments = listMoments({ ...scenario, events: 120 }, 3);
    const { virtfn } = createStrategies(3);
    const results = runStrategy(topologyOf(scenario), moments, virtfn);
    for (const { moves, forcedMoves } of results) expect(moves).toBeGreaterThanOrEqual(forcedMoves);
  });
});
