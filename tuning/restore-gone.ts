// Puts back what pods left when a pass as a whole failed: that needs neither the configuration nor anything else of the pass.

import type { PciAddress } from "../sriov/pci-address.ts";
import { listTuningRecords } from "../sriov/tuning-store.ts";
import type { PassReport, TuningHost } from "./pass.ts";
import { restoreVf, type RestoreOutcome } from "./restore.ts";

/** What became of each VF with a tuning record; those that a pod holds are left as they are, `held`. */
export async function restoreGone(host: TuningHost, lockTimeoutMs: number): Promise<PassReport["restored"]> {
  const restored = new Map<PciAddress, RestoreOutcome>();
  for (const address of listTuningRecords(host))
    restored.set(address, await restoreVf(host, address, { evenInPods: () => false, lockTimeoutMs }));
  return restored;
}
