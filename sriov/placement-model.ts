// The placement as a problem of numbers: interrupts that may go to the same CPUs are one group.

import { comparePciAddress, type PciAddress } from "./pci-address.ts";
import type { CpuTopology } from "./topology.ts";

/** Names an interrupt by VF and MSI index: stable while its IRQ number changes. */
export interface IrqId {
  readonly vf: PciAddress;
  readonly msiIndex: number;
}

/**
 * An interrupt that may be placed. `candidates`: the CPUs that its policy allows, the preferred ones first. `near`: CPUs that
 * it should be close to; empty for any. `direction`: receiving is more work than sending, so each is spread by itself too.
 */
export interface IrqToPlace extends IrqId {
  readonly candidates: readonly number[];
  readonly near: readonly number[];
  readonly direction: "rx" | "tx" | "both";
}

/** An interrupt in its group; `cpu`: the candidate that it is pinned to now. */
export interface GroupedIrq {
  readonly irq: IrqToPlace;
  readonly cpu: number | undefined;
}

/** A CPU that a group may use. `rank`: its place in the order of preference; `distance`: see `distanceTo`. */
export interface Choice {
  readonly cpu: number;
  readonly rank: number;
  readonly distance: number;
}

/** Interrupts with the same candidates in the same order and the same CPUs to be near: for the optimum they are alike. */
export interface IrqGroup {
  readonly choices: readonly Choice[];
  readonly irqs: readonly GroupedIrq[];
}

/** The groups of `irqs`, whatever their order. An interrupt without an online candidate is in none. */
export function groupIrqs(
  topology: CpuTopology,
  irqs: readonly IrqToPlace[],
  affinityOf: (irq: IrqToPlace) => readonly number[] | undefined,
): readonly IrqGroup[] {
  const nameOf = memoize((cpus) => cpus.join());
  const groups = new Map<string, { readonly choices: readonly Choice[]; readonly irqs: GroupedIrq[] }>();
  for (const irq of irqs.toSorted(compareIrqs)) {
    const key = `${nameOf(irq.candidates)}/${nameOf(irq.near)}`;
    const group = groups.get(key) ?? { choices: listChoices(topology, irq), irqs: [] };
    groups.set(key, group);
    const affinity = affinityOf(irq);
    const pinned = affinity?.length === 1 ? affinity[0] : undefined;
    const isChoice = group.choices.some(({ cpu }) => cpu === pinned);
    group.irqs.push({ irq, cpu: isChoice ? pinned : undefined });
  }
  return [...groups.values()].filter(({ choices }) => choices.length > 0);
}

/** Orders interrupts by VF, then by MSI index. */
export function compareIrqs(a: IrqId, b: IrqId): number {
  return a.vf === b.vf ? a.msiIndex - b.msiIndex : comparePciAddress(a.vf, b.vf);
}

function listChoices(topology: CpuTopology, { candidates, near }: IrqToPlace): readonly Choice[] {
  return [...new Set(candidates)]
    .filter((cpu) => topology.cpus.has(cpu))
    .map((cpu, rank) => ({ cpu, rank, distance: distanceTo(topology, cpu, near) }));
}

/** 0: shares a core with one of `near`, 1: a level-3 cache, 2: a NUMA node, 3: none of them; 0 where `near` is empty. */
export function distanceTo(topology: CpuTopology, cpu: number, near: readonly number[]): number {
  const place = topology.cpus.get(cpu);
  const distances = near.map((other) => {
    const there = topology.cpus.get(other);
    if (place === undefined || there === undefined) return 3;
    if (place.core === there.core) return 0;
    if (place.l3 !== undefined && place.l3 === there.l3) return 1;
    return place.node === there.node ? 2 : 3;
  });
  return near.length === 0 ? 0 : Math.min(...distances);
}

// The interrupts of a VF share their lists, which may have hundreds of CPUs.
function memoize(nameOf: (cpus: readonly number[]) => string): (cpus: readonly number[]) => string {
  const known = new Map<readonly number[], string>();
  return (cpus) => {
    const name = known.get(cpus) ?? nameOf(cpus);
    known.set(cpus, name);
    return name;
  };
}
