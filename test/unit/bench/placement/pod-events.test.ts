// Tests test/bench/placement/pod-events.ts.

import { describe, expect, test } from "vitest";

import { listEvents, type PodEvent } from "../../../bench/placement/pod-events.ts";
import { type EventModel, type Scenario, topologyOf } from "../../../bench/placement/scenarios.ts";

function run(model: EventModel, seed: number, vfs: number, events: number): readonly PodEvent[] {
  const scenario: Scenario = {
    name: "a node of two NUMA nodes",
    shape: { cores: 16, nodes: 2 },
    vfs,
    queues: 4,
    limitedShare: 0.5,
    model,
    runs: 1,
    events,
    goals: { movesPerEvent: 1, msPerEvent: 1 },
  };
  return [...listEvents(scenario, topologyOf(scenario), seed)];
}

function countPods(events: readonly PodEvent[]): readonly number[] {
  return events.map(({ pods }) => pods);
}

describe.each(["toggle", "coin"] as const)("%s", (model) => {
  test("the same seed gives the same events, another one others", () => {
    expect(run(model, 7, 64, 50)).toEqual(run(model, 7, 64, 50));
    expect(run(model, 7, 64, 50)).not.toEqual(run(model, 8, 64, 50));
  });

  test("starts from an empty node; one pod comes or goes at each event, with all queues of one VF", () => {
    const events = run(model, 1, 64, 300);
    const pods = [0, ...countPods(events)];
    expect(pods[1]).toBe(1);
    expect(new Set(pods.slice(1).map((count, at) => Math.abs(count - (pods[at] ?? 0))))).toEqual(
      new Set([1]),
    );
    for (const { pods, irqs } of events) {
      expect(irqs).toHaveLength(4 * pods);
      expect(new Set(irqs.map(({ vf }) => vf)).size).toBe(pods);
    }
  });

  test("half of the pods are limited to two or three CPUs", () => {
    const sizes = run(model, 1, 64, 400).flatMap(({ irqs }) =>
      irqs.map(({ candidates }) => candidates.length),
    );
    expect(new Set(sizes)).toEqual(new Set([2, 3, 16]));
    const limited = sizes.filter((size) => size < 16).length / sizes.length;
    expect(limited).toBeGreaterThan(0.35);
    expect(limited).toBeLessThan(0.65);
  });
});

test("a coin's walk comes to no pod and to all VFs, and never beyond", () => {
  const pods = countPods(run("coin", 1, 4, 400));
  expect(new Set(pods)).toEqual(new Set([0, 1, 2, 3, 4]));
  // Where both is possible a pod comes half of the times.
  const free = pods.slice(1).filter((_, at) => pods[at] !== 0 && pods[at] !== 4);
  const coming = pods
    .slice(1)
    .filter((count, at) => pods[at] !== 0 && pods[at] !== 4 && count > (pods[at] ?? 0));
  expect(coming.length / free.length).toBeCloseTo(0.5, 1);
});

test("with toggled VFs half of them come to be in use", () => {
  const pods = countPods(run("toggle", 1, 64, 1000)).slice(200);
  expect(pods.reduce((sum, count) => sum + count, 0) / pods.length / 64).toBeCloseTo(0.5, 1);
});
