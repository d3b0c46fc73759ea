// From how many interrupts of a group each CPU gets to which ones: who is there stays, the queues of a VF go apart.

import { compareIrqs, type GroupedIrq, type IrqGroup, type IrqToPlace } from "./placement-model.ts";
import type { ChoiceArc } from "./placement-network.ts";

/** One interrupt with the CPU that it is to have. */
export interface Assignment {
  readonly irq: IrqToPlace;
  readonly cpu: number;
}

/**
 * As many of each group on each CPU as `choices` says. The others are given out in order, those that leave a CPU first, since
 * they must not be without a place: to the CPU with the fewest interrupts of their VF, then of their direction, then with the
 * most places left, then the preferred one.
 */
export function assignIrqs(
  groups: readonly IrqGroup[],
  choices: readonly (readonly ChoiceArc[])[],
): readonly Assignment[] {
  const assigned: Assignment[] = [];
  const counts = new Counts();
  function assign(irq: IrqToPlace, cpu: number): void {
    assigned.push({ irq, cpu });
    counts.add(irq, cpu);
  }
  const waiting = groups.flatMap((group, at) => {
    const used = (choices[at] ?? []).filter(({ flow }) => flow > 0);
    const places = new Map(used.map(({ choice, flow }) => [choice.cpu, flow] as const));
    const others: (GroupedIrq & { readonly places: Map<number, number> })[] = [];
    for (const { irq, cpu } of group.irqs) {
      if (cpu !== undefined && takePlace(places, cpu)) assign(irq, cpu);
      else others.push({ irq, cpu, places });
    }
    return others;
  });
  for (const { irq, places } of waiting.toSorted(compareWaiting)) {
    const cpu = counts.choose(irq, places);
    if (cpu !== undefined && takePlace(places, cpu)) assign(irq, cpu);
  }
  return assigned;
}

function compareWaiting(a: GroupedIrq, b: GroupedIrq): number {
  return Number(a.cpu === undefined) - Number(b.cpu === undefined) || compareIrqs(a.irq, b.irq);
}

function takePlace(places: Map<number, number>, cpu: number): boolean {
  const left = places.get(cpu) ?? 0;
  if (left > 1) places.set(cpu, left - 1);
  else places.delete(cpu);
  return left > 0;
}

/** How many interrupts of each VF and of each direction a CPU has. */
class Counts {
  /** By CPU, of a VF or of a direction. */
  readonly #counts = new Map<string, Map<number, number>>();

  add({ vf, direction }: IrqToPlace, cpu: number): void {
    for (const of of [this.#list(vf), this.#list(direction)]) of.set(cpu, (of.get(cpu) ?? 0) + 1);
  }

  /** Of `places` with their number, in order of preference. */
  choose({ vf, direction }: IrqToPlace, places: ReadonlyMap<number, number>): number | undefined {
    const ofVfs = this.#list(vf);
    const ofDirections = this.#list(direction);
    let best: { readonly cpu: number; readonly left: number; ofVf: number; ofDirection: number } | undefined;
    for (const [cpu, left] of places) {
      const ofVf = ofVfs.get(cpu) ?? 0;
      const ofDirection = ofDirections.get(cpu) ?? 0;
      const isBetter =
        best === undefined || (ofVf - best.ofVf || ofDirection - best.ofDirection || best.left - left) < 0;
      if (isBetter) best = { cpu, left, ofVf, ofDirection };
    }
    return best?.cpu;
  }

  #list(name: string): Map<number, number> {
    const list = this.#counts.get(name) ?? new Map<number, number>();
    this.#counts.set(name, list);
    return list;
  }
}
