// One measurement: what one variant did in one test of one round, computed from what the clients told and the counters.

import type { IrqSetting, Sample } from "./counters.ts";
import type { Latency } from "./netperf.ts";
import type { Turn } from "./run-plan.ts";
import type { TestName } from "./test-name.ts";
import type { WindowSum } from "./window.ts";

export interface Measurement extends Turn {
  readonly test: TestName;
  readonly seconds: number;
  readonly processes: number;
  readonly late: number;
  readonly stalled: number;
  /** Transactions a second; of STREAM Mbit/s. */
  readonly rate: number;
  /** Both directions, of the devices under test. */
  readonly packetsPerSecond: number;
  /** CPU seconds of the node under test per million transactions; of STREAM per million Mbit. */
  readonly cpuSecondsPerMillion: number;
  /** Share of the node's CPUs that was busy, 0 to 1, and of the busiest client's. */
  readonly busy: number;
  readonly clientBusy: number;
  readonly latency: Latency | undefined;
  /** NET_RX softirqs by CPU, and the busiest CPU's over the mean of all: 1 is even. */
  readonly netRx: readonly CpuCount[];
  readonly imbalance: number;
  /** Share of each second that a CPU spent in softirqs, 0 to 1. */
  readonly timeline: readonly {
    readonly second: number;
    readonly cpu: number;
    readonly softirq: number;
  }[];
  readonly interrupts: readonly (CpuCount & { readonly irq: number; readonly name: string })[];
  readonly irqMap: readonly IrqChange[];
}

export interface CpuCount {
  readonly cpu: number;
  readonly count: number;
}

/** `before` and `after`: where the interrupt may come, and where it does come. */
export interface IrqChange {
  readonly irq: number;
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

export interface Evidence {
  readonly test: TestName;
  readonly sum: WindowSum;
  readonly clientBusy: number;
  /** At least two, in order of time. */
  readonly samples: readonly Sample[];
  readonly irqsBefore: readonly IrqSetting[];
  readonly irqsAfter: readonly IrqSetting[];
}

const irqsShown = 32;

export function toMeasurement(turn: Turn, evidence: Evidence): Measurement {
  const { sum, samples, test, clientBusy } = evidence;
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last === first)
    throw new RangeError(`samples of a measurement: expected at least 2, got ${samples.length}`);
  if (sum.rate === 0) throw new RangeError("nothing was done in the window");
  const seconds = (last.atMs - first.atMs) / 1000;
  const { busy, total } = cpuSeconds(first, last);
  const netRx = [...last.netRx].map(([cpu, count]) => ({ cpu, count: count - (first.netRx.get(cpu) ?? 0) }));
  const interrupts = countInterrupts(first, last, evidence.irqsAfter);
  const shown = new Set(interrupts.map(({ irq }) => irq));
  return {
    ...turn,
    test,
    seconds: round(seconds),
    processes: sum.processes,
    late: sum.late,
    stalled: sum.stalled,
    rate: round(sum.rate),
    packetsPerSecond: round((last.packets - first.packets) / seconds),
    cpuSecondsPerMillion: round((busy / seconds / sum.rate) * 1e6),
    busy: round(busy / total),
    clientBusy: round(clientBusy),
    latency: sum.latency,
    netRx,
    imbalance: round(imbalanceOf(netRx)),
    timeline: samples.slice(1).flatMap((sample, at) => softirqShares(samples[at] ?? first, sample, at)),
    interrupts,
    irqMap: compareIrqs(
      evidence.irqsBefore.filter(({ irq }) => shown.has(irq)),
      evidence.irqsAfter,
    ),
  };
}

/** The busiest CPU's count over the mean of all; 1 when nothing was counted. */
function imbalanceOf(counts: readonly CpuCount[]): number {
  const sum = counts.reduce((total, { count }) => total + count, 0);
  return sum === 0 ? 1 : (Math.max(...counts.map(({ count }) => count)) * counts.length) / sum;
}

/** Share of the CPUs that was busy between two samples, 0 to 1. */
export function busyShare(first: Sample, last: Sample): number {
  const { busy, total } = cpuSeconds(first, last);
  return total === 0 ? 0 : busy / total;
}

function cpuSeconds(first: Sample, last: Sample): { readonly busy: number; readonly total: number } {
  const pairs = [...last.cpus].map(([cpu, time]) => ({ time, before: first.cpus.get(cpu) ?? time }));
  return {
    busy: pairs.reduce((sum, { time, before }) => sum + time.busy - before.busy, 0),
    total: pairs.reduce((sum, { time, before }) => sum + time.total - before.total, 0),
  };
}

function softirqShares(before: Sample, after: Sample, at: number): Measurement["timeline"] {
  return [...after.cpus].map(([cpu, { softirq, total }]) => {
    const was = before.cpus.get(cpu);
    const passed = total - (was?.total ?? total);
    return {
      second: at + 1,
      cpu,
      softirq: passed === 0 ? 0 : round((softirq - (was?.softirq ?? softirq)) / passed),
    };
  });
}

// The busiest ones: a node has hundreds that never come.
function countInterrupts(
  first: Sample,
  last: Sample,
  irqs: readonly IrqSetting[],
): Measurement["interrupts"] {
  const names = new Map(irqs.map(({ irq, name }) => [irq, name]));
  const counted = [...last.interrupts].map(([irq, byCpu]) => {
    const counts = [...byCpu].map(([cpu, count]) => ({
      cpu,
      count: count - (first.interrupts.get(irq)?.get(cpu) ?? 0),
    }));
    return { irq, counts, sum: counts.reduce((sum, { count }) => sum + count, 0) };
  });
  const busiest = counted
    .filter(({ sum }) => sum > 0)
    .toSorted((a, b) => b.sum - a.sum)
    .slice(0, irqsShown);
  return busiest.flatMap(({ irq, counts }) =>
    counts
      .filter(({ count }) => count > 0)
      .map((count) => ({ irq, name: names.get(irq) ?? "", cpu: count.cpu, count: count.count })),
  );
}

function compareIrqs(before: readonly IrqSetting[], after: readonly IrqSetting[]): readonly IrqChange[] {
  const now = new Map(after.map((setting) => [setting.irq, setting]));
  return before.map((setting) => ({
    irq: setting.irq,
    name: setting.name,
    before: formatIrq(setting),
    after: formatIrq(now.get(setting.irq)),
  }));
}

function formatIrq(setting: IrqSetting | undefined): string {
  if (setting === undefined) return "gone";
  const { affinity, effective } = setting;
  return effective === "" || effective === affinity ? affinity : `${affinity} (on ${effective})`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
