// Locks between processes: flock on files below /run/virtfn/lock, never unlinked, released when the holder dies.

/** A held lock; disposing it releases it. */
export interface HeldLock extends Disposable {
  readonly path: string;
}

/** Default waiting time for a lock. */
export const lockTimeoutMs = 30_000;

export interface Locks {
  /**
   * Takes the lock `name` (a PCI address, or `pick`): non-blocking flock with event-loop back-off, at most `timeoutMs`
   * (default 30 s, 0 tries once). Throws LockTimeoutError naming the holder's pid.
   */
  acquire(name: string, options?: { readonly timeoutMs?: number }): Promise<HeldLock>;
}
