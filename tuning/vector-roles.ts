// What interrupts are for where neither the driver's order nor the names of its handlers tell: the kernel knows which poll a queue.

import type { Vector } from "../sriov/vectors.ts";
import type { SeenNapi } from "./napi-threads.ts";

/** Whether the driver's handlers have names that nobody knows: none of several is a queue's. */
export function areUntold(vectors: readonly Vector[]): boolean {
  const isQuiet = vectors.every(({ role }) => role?.kind !== "queue");
  return vectors.length > 1 && isQuiet && vectors.some(({ action }) => action !== undefined);
}

/**
 * The vectors with those as queues that a NAPI instance belongs to, which polls both ways. Where it belongs to none of them, as
 * while the VF is down, each may be a queue's or not. `napis`: in the order in which the driver added them, which is that of its
 * queues. Source: Documentation/netlink/specs/netdev.yaml, napi-get.
 */
export function tellByNapi(vectors: readonly Vector[], napis: readonly SeenNapi[]): readonly Vector[] {
  const irqs = napis.flatMap(({ irq }) => irq ?? []);
  const isTold = vectors.some(({ irq, action }) => irqs.includes(irq) || action === undefined);
  if (!isTold) return vectors.map((vector) => ({ ...vector, role: undefined }));
  return vectors.map((vector) => {
    const queue = irqs.indexOf(vector.irq);
    return queue === -1 ? vector : { ...vector, role: { kind: "queue", direction: "both", queue } };
  });
}
