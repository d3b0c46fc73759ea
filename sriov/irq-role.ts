// What an interrupt vector of a VF is for: a queue, or the mailbox and other housekeeping of the driver.

/** `both`: one vector serves the receive and the transmit queue of that number. */
export type VectorRole =
  | { readonly kind: "queue"; readonly direction: "rx" | "tx" | "both"; readonly queue: number }
  | { readonly kind: "other" };

/** A vector as the kernel shows it. `action`: the name its handler was registered under, while it is registered. */
export interface VectorFacts {
  readonly driver: string | undefined;
  readonly msiIndex: number;
  /** Number of vectors that the VF has allocated. */
  readonly vectors: number;
  readonly action: string | undefined;
}

const other: VectorRole = { kind: "other" };

/**
 * The role of a vector, by the driver's own order where that is fixed, else by the name of its handler; `undefined` while
 * nothing tells (a driver without a fixed order, its handler not registered yet).
 */
export function judgeVectorRole(facts: VectorFacts): VectorRole | undefined {
  return roleByOrder(facts) ?? roleByName(facts);
}

/** "rx+tx 3", "other", "unknown". */
export function formatVectorRole(role: VectorRole | undefined): string {
  if (role === undefined) return "unknown";
  return role.kind === "other"
    ? "other"
    : `${role.direction === "both" ? "rx+tx" : role.direction} ${role.queue}`;
}

/** Sources: igbvf_request_msix, iavf_request_misc_irq, ixgbevf_request_msix_irqs: the vector of the mailbox. */
function roleByOrder({ driver, msiIndex, vectors }: VectorFacts): VectorRole | undefined {
  switch (driver) {
    case "igbvf":
      if (vectors !== 3) return undefined;
      return msiIndex === 2 ? other : { kind: "queue", direction: msiIndex === 0 ? "tx" : "rx", queue: 0 };
    case "iavf":
      return msiIndex === 0 ? other : undefined;
    case "ixgbevf":
      return msiIndex === vectors - 1 ? other : undefined;
    case undefined:
    default:
      return undefined;
  }
}

/** Handlers' names of queues, of any driver; what is matched by none is no queue. An interface's name may stand before it. */
const queueNames: readonly { readonly pattern: RegExp; readonly direction: "rx" | "tx" | "both" }[] = [
  { pattern: /(?:tx-?rx|rx-?tx)-(\d+)$/i, direction: "both" },
  { pattern: /[-.]rx-(\d+)$/i, direction: "rx" },
  { pattern: /[-.]tx-(\d+)$/i, direction: "tx" },
  { pattern: /^virtio\d+-input\.(\d+)$/, direction: "rx" },
  { pattern: /^virtio\d+-output\.(\d+)$/, direction: "tx" },
  { pattern: /^mlx5_comp(\d+)(?:@|$)/, direction: "both" },
  { pattern: /^mlx4-(\d+)@/, direction: "both" },
  { pattern: /[-.]fp-(\d+)$/, direction: "both" },
];

function roleByName({ action, vectors }: VectorFacts): VectorRole | undefined {
  if (action === undefined) return undefined;
  for (const { pattern, direction } of queueNames) {
    const queue = pattern.exec(action)?.[1];
    if (queue !== undefined) return { kind: "queue", direction, queue: Number(queue) };
  }
  return vectors === 1 ? { kind: "queue", direction: "both", queue: 0 } : other;
}
