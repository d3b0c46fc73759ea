// CPUs that have no interrupt vector left: the next pass takes others.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { irqKey } from "../sriov/placement.ts";
import type { IrqId } from "../sriov/placement-model.ts";
import type { Problem } from "./problem.ts";

/** So long nothing more is put on a CPU that was full: no event tells that other devices gave vectors back. */
const fullMs = 600_000;

interface Refused {
  /** By CPU. */
  readonly untilMs: ReadonlyMap<number, number>;
  readonly problem: Problem;
}

/** Lives as long as the process. Times are of the monotonic clock. */
export class FullCpus {
  readonly #clock: Host["clock"];
  readonly #untilMs = new Map<number, number>();
  /** By irqKey: until when which CPUs have none for it, and what was said the last time. */
  readonly #refused = new Map<string, Refused>();

  constructor({ clock }: Pick<Host, "clock">) {
    this.#clock = clock;
  }

  /** The CPU had none for this interrupt. */
  add(irq: IrqId, cpu: number, problem: Problem): void {
    const untilMs = this.#clock.monotonicMs() + fullMs;
    this.#untilMs.set(cpu, untilMs);
    const before = this.#refused.get(irqKey(irq))?.untilMs ?? [];
    this.#refused.set(irqKey(irq), { untilMs: new Map([...before, [cpu, untilMs]]), problem });
  }

  has(cpu: number): boolean {
    return this.#clock.monotonicMs() < (this.#untilMs.get(cpu) ?? -Infinity);
  }

  /**
   * Whether the interrupt, which was pinned to the CPU and has this affinity now, can't come back: its vector is another's. One that
   * was not refused there itself can: it left a vector when it was moved away.
   */
  keepsOut(irq: IrqId, cpu: number, affinity: readonly number[]): boolean {
    const isThere = affinity.length === 1 && affinity[0] === cpu;
    const untilMs = this.#refused.get(irqKey(irq))?.untilMs.get(cpu) ?? -Infinity;
    return !isThere && this.#clock.monotonicMs() < untilMs;
  }

  /** For the placement: what is on such a CPU may stay, nothing more comes. */
  listCapacities(): ReadonlyMap<number, number> {
    return new Map([...this.#untilMs.keys()].filter((cpu) => this.has(cpu)).map((cpu) => [cpu, 0]));
  }

  /** What is wrong with an interrupt for which no CPU has one: what was said of it the last time, if it was tried. */
  problemOf(irq: IrqId): Problem {
    const message = "none of the CPUs that it may have has an interrupt vector left";
    const untried = { vf: irq.vf, about: `vector ${irq.msiIndex}`, code: "ENOSPC", message };
    return this.#refused.get(irqKey(irq))?.problem ?? untried;
  }

  /** Forgets VFs that are not in use any more. */
  keepOnly(vfs: ReadonlySet<PciAddress>): void {
    for (const [key, { problem }] of this.#refused)
      if (problem.vf === "node" || !vfs.has(problem.vf)) this.#refused.delete(key);
  }
}
