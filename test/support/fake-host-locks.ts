// The fake node's locks: in memory, released when the fake process ends.

import { LockTimeoutError } from "../../host/errors.ts";
import { lockTimeoutMs, type HeldLock, type Locks } from "../../host/lock.ts";
import type { FakeClock } from "./fake-host-clock.ts";

export interface FakeLocks {
  readonly locks: Locks;
  /** Names held now. */
  readonly held: ReadonlySet<string>;
  /** Names in the order in which they were taken, since the start. */
  readonly taken: readonly string[];
  releaseAll(): void;
}

/** Locks with the paths of the real ones below `folder`. */
export function createFakeLocks(folder: string, clock: FakeClock): FakeLocks {
  const held = new Set<string>();
  const taken: string[] = [];
  let generation = 0;

  async function acquire(name: string, options?: { readonly timeoutMs?: number }): Promise<HeldLock> {
    const path = `${folder}/${name}`;
    const timeoutMs = options?.timeoutMs ?? lockTimeoutMs;
    const untilMs = clock.monotonicMs() + timeoutMs;
    while (held.has(name)) {
      if (clock.monotonicMs() >= untilMs) throw new LockTimeoutError(path, timeoutMs, 4711);
      await clock.sleep(50);
    }
    held.add(name);
    taken.push(name);
    const takenIn = generation;
    return {
      path,
      [Symbol.dispose]: () => {
        if (takenIn === generation) held.delete(name);
      },
    };
  }
  return {
    locks: { acquire },
    held,
    taken,
    releaseAll: () => {
      generation += 1;
      held.clear();
    },
  };
}
