// The pins that a pass found or left in their place, by what was carried out and not by the plan alone.

import type { PciAddress } from "../sriov/pci-address.ts";
import type { PassReport } from "./pass.ts";

export interface PlacedPin {
  readonly vf: PciAddress;
  readonly msiIndex: number;
  readonly irq: number;
  readonly cpu: number;
  /** It serves a queue; else it is a mailbox. */
  readonly isQueue: boolean;
}

/** Without those that were to be pinned and are not (a lock that was busy, a write that was refused), and those that rest. */
export function listPlacedPins({
  plans,
  applied,
}: Pick<PassReport, "plans" | "applied">): readonly PlacedPin[] {
  return plans.flatMap(({ target, cpus, mailboxes, pins, resting }) => {
    const pinned = new Set(applied.get(target.vf.address)?.pinned);
    const missed = pins.map(({ msiIndex }) => msiIndex).filter((msiIndex) => !pinned.has(msiIndex));
    const open = new Set([...missed, ...resting]);
    return target.vectors.flatMap(({ msiIndex, irq }): readonly PlacedPin[] => {
      const queue = cpus.get(msiIndex);
      const cpu = open.has(msiIndex) ? undefined : (queue ?? mailboxes.get(msiIndex));
      return cpu === undefined
        ? []
        : [{ vf: target.vf.address, msiIndex, irq, cpu, isQueue: queue !== undefined }];
    });
  });
}
