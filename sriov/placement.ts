// Which CPU serves which interrupt: one placement over all VFs of the node, as steps away from what is now.

import { comparePciAddress, type PciAddress } from "./pci-address.ts";
import type { CpuTopology } from "./topology.ts";

/** Names an interrupt by VF and MSI index: stable while its IRQ number changes. */
export interface IrqId {
  readonly vf: PciAddress;
  readonly msiIndex: number;
}

/**
 * An interrupt that may be placed. `candidates` are the CPUs its policy allows, the preferred ones first; among equal ones a
 * new interrupt goes where the fewest of its `direction` are, because receiving is more work than sending.
 */
export interface IrqToPlace extends IrqId {
  readonly candidates: readonly number[];
  readonly direction: "rx" | "tx" | "both";
}

/** Rules for the placement as a whole. `fixedLoad`: interrupts per CPU that cannot be moved (managed ones). */
export interface PlacementPolicy {
  readonly fixedLoad: ReadonlyMap<number, number>;
}

/** One interrupt to pin to exactly one CPU; `from` is its affinity now. */
export interface PinStep extends IrqId {
  readonly from: readonly number[];
  readonly to: number;
}

/** The key of an interrupt in the map of current affinities. */
export function irqKey(irq: IrqId): string {
  return `${irq.vf}#${irq.msiIndex}`;
}

/**
 * Steps that put each interrupt on one candidate, physical cores evenly loaded first, then CPUs; none when nothing would
 * get better. An interrupt stays where it is unless it shares a load that moving would lower. Independent of input order.
 * `current`: affinity by irqKey. An interrupt without an online candidate gets no step.
 */
export function planPlacement(
  topology: CpuTopology,
  irqs: readonly IrqToPlace[],
  current: ReadonlyMap<string, readonly number[]>,
  policy: PlacementPolicy,
): readonly PinStep[] {
  const online = new Set(topology.online);
  const load = new Load(topology, policy.fixedLoad);
  const waiting = irqs
    .map((irq) => ({ irq, cpus: irq.candidates.filter((cpu) => online.has(cpu)) }))
    .filter(({ cpus }) => cpus.length > 0)
    .toSorted((a, b) => compareIrqs(a.irq, b.irq))
    .map(({ irq, cpus }) => ({ irq, cpus, from: current.get(irqKey(irq)) ?? [] }));

  const kept = waiting.map(({ cpus, from }) => cpus.find((cpu) => from.length === 1 && from[0] === cpu));
  for (const [at, cpu] of kept.entries()) if (cpu !== undefined) load.add(cpu, 1, waiting[at]?.irq.direction);
  const placed = waiting.map(({ irq, cpus, from }, at) => ({
    irq,
    cpus,
    from,
    cpu: kept[at] ?? load.addToLightest(cpus, irq.direction),
  }));
  spread(placed, load);

  return placed.flatMap(({ irq, from, cpu }) =>
    from.length === 1 && from[0] === cpu ? [] : [{ vf: irq.vf, msiIndex: irq.msiIndex, from, to: cpu }],
  );
}

interface Placed {
  readonly cpus: readonly number[];
  cpu: number;
}

/** Moves interrupts to lighter candidates until no single move helps; each move lowers the load vector, so it ends. */
function spread(placed: readonly Placed[], load: Load): void {
  let isMoved: boolean;
  do {
    isMoved = false;
    for (const item of placed) {
      const cpu = load.moveToLighter(item.cpu, item.cpus);
      isMoved ||= cpu !== item.cpu;
      item.cpu = cpu;
    }
  } while (isMoved);
}

/** How many interrupts each CPU and each physical core serves, and of which direction. */
class Load {
  readonly #coreOf: (cpu: number) => string;
  readonly #counts = new Map<string, number>();

  constructor(topology: CpuTopology, fixed: ReadonlyMap<number, number>) {
    this.#coreOf = (cpu) => topology.cpus.get(cpu)?.core ?? `${cpu}`;
    for (const [cpu, count] of fixed) this.add(cpu, count);
  }

  add(cpu: number, count = 1, direction = "any"): void {
    for (const key of [`core ${this.#coreOf(cpu)}`, `cpu ${cpu}`, `cpu ${cpu} ${direction}`])
      this.#counts.set(key, this.#count(key) + count);
  }

  addToLightest(cpus: readonly number[], direction: string): number {
    const cpu = cpus.reduce((best, other) => {
      const difference = this.#compare(other, best) || this.#compareBy(other, best, direction);
      return difference < 0 ? other : best;
    });
    this.add(cpu, 1, direction);
    return cpu;
  }

  moveToLighter(from: number, cpus: readonly number[]): number {
    this.add(from, -1);
    const to = cpus.reduce((best, other) => (this.#compare(other, best) < 0 ? other : best), from);
    this.add(to);
    return to;
  }

  /** Cores before CPUs; equal loads are equal, so that the present CPU stays. */
  #compare(a: number, b: number): number {
    const cores = this.#count(`core ${this.#coreOf(a)}`) - this.#count(`core ${this.#coreOf(b)}`);
    return cores === 0 ? this.#count(`cpu ${a}`) - this.#count(`cpu ${b}`) : cores;
  }

  #compareBy(a: number, b: number, direction: string): number {
    return this.#count(`cpu ${a} ${direction}`) - this.#count(`cpu ${b} ${direction}`);
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}

function compareIrqs(a: IrqId, b: IrqId): number {
  return comparePciAddress(a.vf, b.vf) || a.msiIndex - b.msiIndex;
}
