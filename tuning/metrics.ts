// Tuning's metrics, in a registry of its own.

import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { PassReport } from "./pass.ts";

/** Metrics and the one way to feed them. */
export interface TuningMetrics {
  readonly registry: Registry;
  /** Counts what a pass did; `newProblems`: those of it that the pass before did not have. */
  record(report: PassReport, seconds: number, newProblems: PassReport["problems"]): void;
  /** Counts what was done with the VF of a pod that is gone: `failed`, or what `repair` calls it. */
  recordRepair(result: string): void;
}

/** New metrics, all at their start. */
export function createMetrics(): TuningMetrics {
  const registry = new Registry();
  const registers = [registry];
  const vfs = new Gauge({
    name: "virtfn_tuning_vfs",
    help: "VFs in pods that tuning looks after.",
    registers,
  });
  const pinned = new Gauge({
    name: "virtfn_tuning_pinned_irqs",
    help: "Queue interrupts of those VFs that are on exactly one CPU.",
    registers,
  });
  const load = new Gauge({
    name: "virtfn_tuning_cpu_irqs",
    help: "Queue interrupts of VFs in pods, by the CPU they are pinned to.",
    labelNames: ["cpu"],
    registers,
  });
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `virtfn_tuning_${name}_total`, help, registers });
  const pins = counter("pins", "Interrupts pinned: new ones, moved ones and repaired ones.");
  const masks = counter("rps_masks", "RPS masks written.");
  const drift = counter("drift", "Pins found undone by someone else.");
  const restores = counter("restores", "VFs put back as they were before tuning.");
  const announcements = counter("announcements", "VFs whose addresses were announced when the carrier came.");
  const problems = new Counter({
    name: "virtfn_tuning_problems_total",
    help: "Problems that appeared, by errno or code; one that stays is counted once.",
    labelNames: ["code"],
    registers,
  });
  const repairs = new Counter({
    name: "virtfn_tuning_repairs_total",
    help: "VFs of pods that are gone, by what was done with them.",
    labelNames: ["result"],
    registers,
  });
  const seconds = new Histogram({
    name: "virtfn_tuning_pass_duration_seconds",
    help: "Time of one pass over the node.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  return {
    registry,
    record(report, duration, newProblems) {
      const cpus = report.plans.flatMap((plan) => [...plan.cpus.values()]);
      vfs.set(report.plans.length);
      pinned.set(cpus.length);
      load.reset();
      for (const cpu of cpus) load.inc({ cpu });
      for (const outcome of report.applied.values()) {
        pins.inc(outcome.pins);
        masks.inc(outcome.masks);
      }
      drift.inc(report.plans.reduce((sum, plan) => sum + plan.drifted.length, 0));
      restores.inc([...report.restored.values()].filter(({ result }) => result === "restored").length);
      announcements.inc([...report.announced.values()].filter(({ result }) => result === "announced").length);
      for (const { code } of newProblems) problems.inc({ code });
      seconds.observe(duration);
    },
    recordRepair: (result) => repairs.inc({ result }),
  };
}
