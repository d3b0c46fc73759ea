// Which CPU each queue gets under a policy that deals them out in turn.

import { irqKey } from "../sriov/placement.ts";
import type { TunedVf } from "./node-state.ts";

/**
 * The CPU of each queue's vectors, by irqKey: queue q of a pod gets the q-th candidate, round and round; the queues of a pod's
 * second VF go on where those of its first ended. A vector whose handler is gone for now keeps the CPU that it had.
 */
export function turnQueues(vfs: readonly TunedVf[]): ReadonlyMap<string, number> {
  const turns = new Map<string, number>();
  const cpuOf = new Map<string, number>();
  for (const target of vfs) {
    const { vf, record, candidates, vectors, saved } = target;
    const { cpus, isByQueue } = candidates;
    if (!isByQueue || cpus.length === 0) continue;
    const { pod, containerId } = record.owner;
    const owner = pod?.uid ?? containerId;
    const first = turns.get(owner) ?? 0;
    for (const { msiIndex, role } of vectors) {
      const turned = role?.kind === "queue" ? cpus[(first + role.queue) % cpus.length] : undefined;
      const kept = saved?.vectors.find((vector) => vector.msiIndex === msiIndex)?.cpu;
      const cpu = turned ?? (kept !== undefined && cpus.includes(kept) ? kept : undefined);
      if (cpu !== undefined) cpuOf.set(irqKey({ vf: vf.address, msiIndex }), cpu);
    }
    turns.set(owner, first + countQueues(target));
  }
  return cpuOf;
}

// While an interface is down some drivers' handlers are gone, and its queues are as many as were pinned: other VFs' stay where they are.
function countQueues({ vectors, saved }: TunedVf): number {
  const known = vectors.flatMap(({ role }) => (role?.kind === "queue" ? [role.queue + 1] : []));
  const pinned = vectors.filter(
    ({ msiIndex, role }) =>
      role === undefined &&
      saved?.vectors.some((each) => each.msiIndex === msiIndex && each.isMailbox !== true) === true,
  );
  return Math.max(pinned.length, ...known);
}
