// Interrupts of the whole node that nobody can move: load that is there whatever tuning does.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import { readAttribute } from "../sriov/sysfs.ts";
import { type Irq, isFixedIrq, readAction, readEffective } from "../sriov/vectors.ts";
import { only } from "./pin-plan.ts";

/**
 * The CPU of each interrupt of a PCI device that the kernel lets nobody move, by IRQ number: managed ones, as of disks. Those
 * that can be moved are left out, wherever they are: pins would go after each move of irqbalance or a driver. Before Linux
 * 6.12 the kernel tells of none. `seen`: interrupts that were looked at just now.
 */
export function readFixedIrqs(
  host: Pick<Host, "files" | "paths">,
  seen: readonly Pick<Irq, "irq" | "isManaged">[],
): ReadonlyMap<number, number> {
  const irqs = (host.files.list(join(host.paths.proc, "irq")) ?? []).map(Number).filter(Number.isInteger);
  const known = new Map(seen.map(({ irq, isManaged }) => [irq, isManaged] as const));
  return new Map(
    irqs.flatMap((irq) => {
      if (!(known.get(irq) ?? isFixedIrq(host, irq)) || !isOfPciDevice(host, irq)) return [];
      const cpu = only(readEffective(host, irq));
      return readAction(host, irq) === undefined || cpu === undefined ? [] : [[irq, cpu] as const];
    }),
  );
}

// "PCI-MSIX-0000:3b:00.0", "IR-PCI-MSI", "ITS-PCI-MSI", "Hyper-V PCIe MSI"; none once the interrupt goes.
// Source: Documentation/ABI/testing/sysfs-kernel-irq.
function isOfPciDevice({ files, paths }: Pick<Host, "files" | "paths">, irq: number): boolean {
  const chip = readAttribute(files, join(paths.sys, "kernel/irq", `${irq}`, "chip_name"));
  return chip !== undefined && /PCI-MSI|PCIe MSI/.test(chip);
}
