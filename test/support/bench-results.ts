// Results of a bench that never ran: four kinds of interface on 4 CPUs, ten rounds, figures of a seed.

import { labelOf } from "../bench/network/label.ts";
import type { Measurement } from "../bench/network/measurement.ts";
import { parseBenchOptions } from "../bench/network/options.ts";
import { type Results, toResults } from "../bench/network/results.ts";
import { planTurns, type Turn } from "../bench/network/run-plan.ts";
import { createStormRandom } from "./storm.ts";

const rates: Readonly<Record<string, number>> = {
  host: 540_000,
  "veth-bridge": 470_000,
  "sriov-untuned": 500_000,
  "sriov-numa-spread": 541_000,
};
const cpus = [0, 1, 2, 3];

/** On hardware, by two machines; `argv` changes the options. */
export function makeBenchResults(argv: readonly string[] = ["--role", "server", "--pf", "ens1f0"]): Results {
  const options = parseBenchOptions(["--tests", "TCP_RR,TCP_CRR", ...argv]);
  if (options === "help") throw new Error("no results of --help");
  const random = createStormRandom(1);
  const turns = planTurns(options.variants, options.rounds, options.seed);
  const measurements = turns.flatMap((turn) =>
    options.tests.map((test) => ({ ...makeMeasurement(turn, random), test })),
  );
  const machine = { kernel: "6.12.0", CPUs: "4 of <a> CPU", interface: "ens1f0", driver: "ice" };
  return toResults(
    options,
    { machine, measurements, left: [], fellBack: [] },
    { label: labelOf(options, { isDevice: true, isVirtual: false }), startedAt: new Date(0) },
  );
}

function makeMeasurement({ round, variant }: Turn, random: () => number): Measurement {
  const near = (value: number): number => value * (0.99 + random() * 0.02);
  const rate = near(rates[variant] ?? 500_000);
  const isSpread = variant === "sriov-numa-spread";
  const netRx = cpus.map((cpu) => ({ cpu, count: Math.round(near(isSpread || cpu === 0 ? 1000 : 200)) }));
  const irqs = [24, 25, 26, 27];
  return {
    round,
    variant,
    test: "TCP_RR",
    seconds: 30,
    processes: 1200,
    late: 0,
    stalled: 0,
    rate,
    packetsPerSecond: rate * 2,
    cpuSecondsPerMillion: near(4_000_000 / rate),
    busy: near(0.9),
    clientBusy: near(0.6),
    latency: { meanUs: near(400), p50Us: near(350), p90Us: near(700), p99Us: near(8e8 / rate) },
    netRx,
    imbalance: isSpread ? 1.01 : 2.5,
    timeline: cpus.flatMap((cpu) =>
      [1, 2, 3, 4].map((second) => ({ second, cpu, softirq: near(isSpread || cpu === 0 ? 0.5 : 0.1) })),
    ),
    interrupts: irqs.map((irq, at) => ({
      irq,
      name: `vb0-TxRx-${at}`,
      cpu: isSpread ? at : 0,
      count: Math.round(near(5000)),
    })),
    irqMap: irqs.map((irq, at) => ({
      irq,
      name: `vb0-TxRx-${at}`,
      before: isSpread ? String(at) : "0-3 (on 0)",
      after: isSpread ? String(at) : "0-3 (on 0)",
    })),
  };
}
