// Interrupts per CPU and per physical core, counted.

import type { CpuTopology } from "../../../sriov/topology.ts";

export class NodeLoad {
  readonly #topology: CpuTopology;
  readonly #cpus = new Map<number, number>();
  readonly #cores = new Map<string, number>();

  constructor(topology: CpuTopology, placed: Iterable<number>) {
    this.#topology = topology;
    for (const cpu of topology.online) this.add(cpu, 0);
    for (const cpu of placed) this.add(cpu, 1);
  }

  add(cpu: number, count: number): void {
    const core = this.coreOf(cpu);
    this.#cpus.set(cpu, this.ofCpu(cpu) + count);
    this.#cores.set(core, (this.#cores.get(core) ?? 0) + count);
  }

  coreOf(cpu: number): string {
    return this.#topology.cpus.get(cpu)?.core ?? `${cpu}`;
  }

  ofCpu(cpu: number): number {
    return this.#cpus.get(cpu) ?? 0;
  }

  /** Of the core that `cpu` belongs to. */
  ofCore(cpu: number): number {
    return this.#cores.get(this.coreOf(cpu)) ?? 0;
  }

  get cores(): readonly number[] {
    return [...this.#cores.values()];
  }

  get cpus(): readonly number[] {
    return [...this.#cpus.values()];
  }

  /** The first of `cpus` on the least loaded core, and least loaded there. */
  findLightest(cpus: readonly number[]): number | undefined {
    return cpus.reduce<number | undefined>((best, cpu) => {
      if (best === undefined) return cpu;
      const difference = this.ofCore(cpu) - this.ofCore(best) || this.ofCpu(cpu) - this.ofCpu(best);
      return difference < 0 ? cpu : best;
    }, undefined);
  }
}
