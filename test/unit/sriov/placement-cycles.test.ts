// The search for cycles against the shortest ways between all nodes, on graphs that fast-check makes up.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { findCycles, type StepTable } from "../../../sriov/placement-cycles.ts";

type Edge = readonly [from: number, to: number, cost: number];

const nodeCount = 6;
const node = fc.nat(nodeCount - 1);
const edges = fc.array(
  fc.tuple(
    node,
    node,
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -3, max: 9 }) }, fc.constant(Infinity)),
  ),
  { maxLength: 20 },
);

function tableOf(steps: readonly Edge[]): StepTable {
  return {
    nodeCount,
    from: Uint32Array.from(steps, ([from]) => from),
    to: Uint32Array.from(steps, ([, to]) => to),
    costs: Float64Array.from(steps, ([, , cost]) => cost),
  };
}

/** Floyd and Warshall: whether some way from a node back to it costs less than nothing. */
function hasNegativeCycle(steps: readonly Edge[]): boolean {
  const ways = Array.from({ length: nodeCount }, () => Array.from({ length: nodeCount }, () => Infinity));
  const costOf = (from: number, to: number): number => ways[from]?.[to] ?? Infinity;
  const shorten = (from: number, to: number, cost: number): void => {
    const row = ways[from];
    if (row !== undefined && cost < costOf(from, to)) row[to] = cost;
  };
  for (const [from, to, cost] of steps) shorten(from, to, cost);
  const nodes = [...ways.keys()];
  for (const through of nodes)
    for (const from of nodes)
      for (const to of nodes) shorten(from, to, costOf(from, through) + costOf(through, to));
  return nodes.some((at) => costOf(at, at) < 0);
}

test("finds cycles exactly where there are some, else distances that no step makes shorter", () => {
  fc.assert(
    fc.property(edges, (steps) => {
      const { cycles, distances } = findCycles(tableOf(steps));
      expect(cycles.length > 0).toBe(hasNegativeCycle(steps));
      const shorter = steps.filter(
        ([from, to, cost]) => (distances[from] ?? 0) + cost < (distances[to] ?? 0),
      );
      expect(cycles.length > 0 ? [] : shorter).toEqual([]);
    }),
  );
});

test("each cycle leads back to its start and costs less than nothing, and none has a node of another", () => {
  fc.assert(
    fc.property(edges, (steps) => {
      const { cycles } = findCycles(tableOf(steps));
      const nodes = cycles.map((cycle) => cycle.map((step) => steps[step]?.[1]));
      for (const [at, cycle] of cycles.entries()) {
        // Listed from its end: each step starts where the next one leads to.
        const starts = cycle.map((step) => steps[step]?.[0]);
        expect([...(nodes[at]?.slice(1) ?? []), nodes[at]?.[0]]).toEqual(starts);
        expect(cycle.reduce((sum, step) => sum + (steps[step]?.[2] ?? 0), 0)).toBeLessThan(0);
      }
      expect(new Set(nodes.flat()).size).toBe(nodes.flat().length);
    }),
  );
});
