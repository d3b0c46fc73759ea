// The kernel's counters that a measurement is made of: CPU time, softirqs, interrupts, packets of devices.

import { readdirSync, readFileSync } from "node:fs";

import { type InterruptCounts, parseInterruptCounts } from "../../../sriov/interrupt-counts.ts";

/** Seconds since boot. */
export interface CpuTime {
  /** Not idle and not waiting for a disk. */
  readonly busy: number;
  readonly total: number;
  readonly softirq: number;
}

/** Where a device's packets are counted: a file of the form of /proc/net/dev, as its network namespace has it. */
export interface CountedDevice {
  readonly file: string;
  readonly link: string;
}

export interface Sample {
  /** Unix time. */
  readonly atMs: number;
  readonly cpus: ReadonlyMap<number, CpuTime>;
  /** NET_RX softirqs by CPU. */
  readonly netRx: ReadonlyMap<number, number>;
  readonly interrupts: InterruptCounts;
  /** Received and sent, of all devices together. */
  readonly packets: number;
}

/** USER_HZ: proc(5), /proc/stat. */
const ticksPerSecond = 100;

export function takeSample(devices: readonly CountedDevice[]): Sample {
  return {
    atMs: Date.now(),
    cpus: parseCpuTimes(readFileSync("/proc/stat", "utf8")),
    netRx: parseSoftirqs(readFileSync("/proc/softirqs", "utf8"), "NET_RX"),
    interrupts: parseInterruptCounts(readFileSync("/proc/interrupts", "utf8")),
    packets: devices.reduce((sum, { file, link }) => sum + parsePackets(readFileSync(file, "utf8"), link), 0),
  };
}

/** By CPU. Source: proc(5), /proc/stat: user nice system idle iowait irq softirq steal; guest time is in user. */
export function parseCpuTimes(text: string): ReadonlyMap<number, CpuTime> {
  const rows = [...text.matchAll(/^cpu(\d+) (.*)$/gm)];
  return new Map(
    rows.map(([, cpu, fields = ""]) => {
      const ticks = fields.split(" ").map(Number);
      const at = (index: number): number => (ticks[index] ?? 0) / ticksPerSecond;
      const total = [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, index) => sum + at(index), 0);
      // Stolen time is somebody else's work.
      return [Number(cpu), { busy: total - at(3) - at(4) - at(7), total, softirq: at(6) }];
    }),
  );
}

/** A row of /proc/softirqs by CPU; empty where there is none of that name. */
export function parseSoftirqs(text: string, name: string): ReadonlyMap<number, number> {
  const [header = "", ...rows] = text.split("\n");
  const cpus = [...header.matchAll(/CPU(\d+)/g)].map(([, cpu]) => Number(cpu));
  const row = rows.map((line) => line.trim().split(/\s+/)).find(([label]) => label === `${name}:`) ?? [];
  return new Map(cpus.map((cpu, at) => [cpu, Number(row[at + 1] ?? 0)]));
}

/** Packets received and sent by `link`; 0 where there is no such link. Source: net/core/net-procfs.c: 8 fields received, 8 sent. */
export function parsePackets(text: string, link: string): number {
  const row = text
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line.startsWith(`${link}:`));
  const fields = row
    ?.slice(link.length + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  return (fields?.[1] ?? 0) + (fields?.[9] ?? 0);
}

export interface IrqSetting {
  readonly irq: number;
  /** Its handler's name. */
  readonly name: string;
  /** CPUs that it may come on, and does, in the kernel's list format. */
  readonly affinity: string;
  readonly effective: string;
}

/** All numbered interrupts that have a handler, by number. */
export function readIrqMap(): readonly IrqSetting[] {
  const names = parseIrqNames(readFileSync("/proc/interrupts", "utf8"));
  const numbers = readdirSync("/proc/irq").map(Number).filter(Number.isInteger);
  return numbers
    .toSorted((a, b) => a - b)
    .flatMap((irq) => {
      const name = names.get(irq);
      if (name === undefined) return [];
      const affinity = readSetting(irq, "smp_affinity_list");
      return [{ irq, name, affinity, effective: readSetting(irq, "effective_affinity_list") }];
    });
}

/** The last word of each row of /proc/interrupts: the names that handlers were registered under. */
export function parseIrqNames(text: string): ReadonlyMap<number, string> {
  const rows = [...text.matchAll(/^ *(\d+):.*?(\S+)$/gm)];
  return new Map(rows.map(([, irq, name = ""]) => [Number(irq), name]));
}

// An interrupt may be freed while it is looked at.
function readSetting(irq: number, name: string): string {
  try {
    return readFileSync(`/proc/irq/${irq}/${name}`, "utf8").trim();
  } catch {
    return "";
  }
}
