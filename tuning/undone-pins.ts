// Which pins someone else undid, each undoing told once: it stays undone for passes while it can't be put back.

import { formatCpuList } from "../sriov/cpu-list.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { irqKey } from "../sriov/placement.ts";
import type { VfOutcome } from "./apply-plan.ts";
import type { Contests } from "./contests.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import { only, rememberedCpu } from "./pin-plan.ts";

/** What is told of a pin that rests, until it is pinned again: wherever it goes meanwhile. */
const anywhere = "anywhere";

/** Lives as long as the process; a pin that is undone at its start counts once more. */
export class UndonePins {
  /** By irqKey: the affinity that it was found with. */
  readonly #told = new Map<string, string>();
  /** By irqKey: the number that the interrupt had last. One for each vector of the node at most. */
  readonly #irqs = new Map<string, number>();

  /**
   * MSI indexes of pins that are undone, or undone in another way, since the last call; not of those that rest, of
   * interrupts that came back under new numbers, as after a reset, nor of VFs that were `passedOn` to another pod, as DEL puts
   * them back: nobody undid a pin that they never had.
   */
  add(
    state: NodeState,
    { contests, passedOn }: { readonly contests: Contests; readonly passedOn: ReadonlySet<PciAddress> },
  ): ReadonlyMap<PciAddress, readonly number[]> {
    const found = new Map<string, string>();
    const fresh = new Map<PciAddress, readonly number[]>();
    for (const target of state.vfs) {
      const vf = target.vf.address;
      const renumbered = this.#followNumbers(target);
      const news = listDrifted(state, target).flatMap(({ msiIndex, affinity }) => {
        const key = irqKey({ vf, msiIndex });
        const told = this.#told.get(key);
        const isAnywhere = told === anywhere || contests.isResting(vf, msiIndex);
        found.set(key, isAnywhere ? anywhere : formatCpuList(affinity));
        const isNobodys = renumbered.has(msiIndex) || passedOn.has(vf);
        const isKnown = isAnywhere || isNobodys || told === found.get(key);
        return isKnown ? [] : [msiIndex];
      });
      if (news.length > 0) fresh.set(vf, news);
    }
    this.#told.clear();
    for (const [key, affinity] of found) this.#told.set(key, affinity);
    return fresh;
  }

  /** What was pinned again is undone anew the next time, even in the same way; also what was undone before it was read back. */
  settle(vf: PciAddress, { pinned, lost }: VfOutcome): void {
    for (const msiIndex of [...pinned, ...lost]) this.#told.delete(irqKey({ vf, msiIndex }));
  }

  /** MSI indexes of those that have other numbers than the last time that they were there. */
  #followNumbers({ vf, vectors }: TunedVf): ReadonlySet<number> {
    const renumbered = new Set<number>();
    for (const { msiIndex, irq } of vectors) {
      const key = irqKey({ vf: vf.address, msiIndex });
      if ((this.#irqs.get(key) ?? irq) !== irq) renumbered.add(msiIndex);
      this.#irqs.set(key, irq);
    }
    return renumbered;
  }
}

// The kernel itself takes interrupts away from a CPU that goes offline: nobody undid those pins.
function listDrifted(
  { facts }: NodeState,
  target: TunedVf,
): readonly { readonly msiIndex: number; readonly affinity: readonly number[] }[] {
  if (target.candidates.policy === "none") return [];
  return target.vectors.flatMap(({ msiIndex, affinity }) => {
    const cpu = rememberedCpu(target, { msiIndex });
    const isUndone = cpu !== undefined && facts.topology.cpus.has(cpu) && only(affinity) !== cpu;
    return isUndone && affinity !== undefined ? [{ msiIndex, affinity }] : [];
  });
}
