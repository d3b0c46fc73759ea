// Waits for a condition that no event tells of.

/** Nothing is timed here: on a busy machine an event takes its while, and what never comes is only missed later. */
export const patienceMs = 30_000;
/** The daemons look every 30 s for what has no event: what came sooner than that came by its event. */
export const beforeNextLookMs = 15_000;

/** Looks every 5 ms until `condition` holds; fails naming `what` after `timeoutMs`. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = patienceMs,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await Bun.sleep(5);
  }
}
