// Which pins someone else undid, each undoing told once: it stays undone for passes while it can't be put back.

import { formatCpuList } from "../sriov/cpu-list.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { irqKey } from "../sriov/placement.ts";
import type { VfOutcome } from "./apply-plan.ts";
import type { VfPlan } from "./node-plan.ts";

/** Lives as long as the process; a pin that is undone at its start counts once more. */
export class UndonePins {
  /** By irqKey: the affinity that it was found with. */
  readonly #told = new Map<string, string>();

  /** MSI indexes of pins that `plans` found undone, or undone in another way, since the pass before. */
  add(plans: readonly VfPlan[]): ReadonlyMap<PciAddress, readonly number[]> {
    const found = new Map<string, string>();
    const fresh = new Map<PciAddress, readonly number[]>();
    for (const { target, drifted } of plans) {
      const vf = target.vf.address;
      const news = drifted.filter((msiIndex) => {
        const key = irqKey({ vf, msiIndex });
        const affinity = target.vectors.find((vector) => vector.msiIndex === msiIndex)?.affinity ?? [];
        found.set(key, formatCpuList(affinity));
        return this.#told.get(key) !== found.get(key);
      });
      if (news.length > 0) fresh.set(vf, news);
    }
    this.#told.clear();
    for (const [key, affinity] of found) this.#told.set(key, affinity);
    return fresh;
  }

  /** What was pinned again is undone anew the next time, even in the same way. */
  settle(vf: PciAddress, { pinned }: VfOutcome): void {
    for (const msiIndex of pinned) this.#told.delete(irqKey({ vf, msiIndex }));
  }
}
