// Tuning's metrics, in a registry of its own.

import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { Host } from "../host/host.ts";
import { opponents } from "../sriov/contested-pins.ts";
import { readInterruptCounts } from "../sriov/interrupt-counts.ts";
import { addDrift } from "./drift-metric.ts";
import { readSoftnet, type SoftnetCounts } from "./softnet.ts";
import type { PassReport, TuningHost } from "./pass.ts";
import { listPlacedPins } from "./placed-pins.ts";
import { addVfMetrics } from "./vf-metrics.ts";

/** Metrics and the one way to feed them. */
export interface TuningMetrics {
  readonly registry: Registry;
  /** Counts what a pass did; `newProblems`: those of it that the pass before did not have. */
  record(report: PassReport, seconds: number, newProblems: PassReport["problems"]): void;
  /** Counts what was put back without a pass, and its new problems. */
  recordRestored(restored: PassReport["restored"], newProblems: PassReport["problems"]): void;
  /** Counts what was done with the VF of a pod that is gone: `failed`, or what `repair` calls it. */
  recordRepair(result: string): void;
}

/** New metrics, all at their start. What the kernel counts is read from `host` when someone asks. */
export function createMetrics(host: TuningHost): TuningMetrics {
  const registry = new Registry();
  const followVfs = addVfMetrics(host, registry);
  const followDrift = addDrift(host, registry);
  const registers = [registry];
  const vfs = new Gauge({
    name: "virtfn_tuning_vfs",
    help: "VFs in pods that tuning looks after.",
    registers,
  });
  const pinned = new Gauge({
    name: "virtfn_tuning_pinned_irqs",
    help: "Queue interrupts of those VFs that are on the one CPU that they are meant for.",
    registers,
  });
  const load = new Gauge({
    name: "virtfn_tuning_cpu_irqs",
    help: "Queue interrupts of VFs in pods, by the CPU they are pinned to.",
    labelNames: ["cpu"],
    registers,
  });
  let vfIrqs: ReadonlySet<number> = new Set();
  void new Gauge({
    name: "virtfn_tuning_cpu_interrupts",
    help: "How often the interrupts of VFs that are in pods now came so far, by CPU.",
    labelNames: ["cpu"],
    registers,
    collect() {
      this.reset();
      for (const [irq, came] of readInterruptCounts(host))
        if (vfIrqs.has(irq)) for (const [cpu, count] of came) this.inc({ cpu }, count);
    },
  });
  addSoftnet(host, registry, "dropped", "Packets that found a CPU's backlog full.");
  addSoftnet(
    host,
    registry,
    "squeezed",
    "Times that a CPU's budget for packets ended before the packets did.",
  );
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `virtfn_tuning_${name}_total`, help, registers });
  const pins = counter("pins", "Interrupts pinned: new ones, moved ones and repaired ones.");
  const moves = counter("moves", "Pinned interrupts moved to another CPU.");
  const rpsMasks = counter("rps_masks", "RPS masks written.");
  const xpsMasks = counter("xps_masks", "XPS masks written.");
  const values = counter("values", "Values of netdevs written: flow counts of RFS, threaded NAPI.");
  const threads = counter("threads", "Threads of NAPI pinned to the CPU of their interrupt.");
  const channels = counter("channel_changes", "VFs whose number of channels was changed.");
  const contested = new Gauge({
    name: "virtfn_tuning_contested_irqs",
    help: "Interrupts whose pins are undone again and again, by who may do it.",
    labelNames: ["by"],
    registers,
  });
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
  const planSeconds = new Histogram({
    name: "virtfn_tuning_plan_duration_seconds",
    help: "Time to plan where each interrupt goes.",
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5],
    registers,
  });
  const seconds = new Histogram({
    name: "virtfn_tuning_pass_duration_seconds",
    help: "Time of one pass over the node.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const recordRestored: TuningMetrics["recordRestored"] = (restored, newProblems) => {
    restores.inc([...restored.values()].filter(({ result }) => result === "restored").length);
    for (const { code } of newProblems) problems.inc({ code });
  };
  return {
    registry,
    record(report, duration, newProblems) {
      const cpus = listPlacedPins(report).flatMap(({ cpu, isQueue }) => (isQueue ? [cpu] : []));
      vfs.set(report.plans.length);
      pinned.set(cpus.length);
      load.reset();
      for (const cpu of cpus) load.inc({ cpu });
      for (const outcome of report.applied.values()) {
        pins.inc(outcome.pinned.length);
        moves.inc(outcome.moves);
        rpsMasks.inc(outcome.masks.filter((queue) => queue.startsWith("rx-")).length);
        values.inc(outcome.values.length);
        threads.inc(outcome.threads.length);
        xpsMasks.inc(outcome.masks.filter((queue) => queue.startsWith("tx-")).length);
      }
      channels.inc([...report.channels.values()].filter(({ isChanged }) => isChanged).length);
      followDrift(report);
      for (const by of opponents)
        contested.set({ by }, report.contested.filter((pin) => pin.by === by).length);
      recordRestored(report.restored, newProblems);
      announcements.inc([...report.announced.values()].filter(({ result }) => result === "announced").length);
      followVfs(report.state);
      vfIrqs = new Set(report.plans.flatMap(({ target }) => target.vf.irqs));
      planSeconds.observe(report.planMs / 1000);
      seconds.observe(duration);
    },
    recordRestored,
    recordRepair: (result) => repairs.inc({ result }),
  };
}

function addSoftnet(
  host: Pick<Host, "files" | "paths">,
  registry: Registry,
  what: Exclude<keyof SoftnetCounts, "cpu">,
  help: string,
): void {
  void new Counter({
    name: `virtfn_tuning_softnet_${what}_total`,
    help,
    labelNames: ["cpu"],
    registers: [registry],
    collect() {
      this.reset();
      for (const counts of readSoftnet(host)) this.inc({ cpu: counts.cpu }, counts[what]);
    },
  });
}
