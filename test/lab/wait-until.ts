// Waiting for a state that can only be polled, with a deadline whose error says what was seen last.

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A state that did not come before its deadline; `cause` is what the last look met. */
export class WaitTimeoutError extends Error {
  readonly code = "ERR_LAB_WAIT";
}

/**
 * The value of `probe` as soon as it returns instead of throwing: what it throws tells what is still missing.
 * Throws WaitTimeoutError with `what` and the last thing seen when `timeoutMs` have passed.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | Promise<T>,
  options: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await probe();
    } catch (cause) {
      if (performance.now() >= deadline) {
        throw new WaitTimeoutError(
          `${what}: not within ${options.timeoutMs} ms, last seen: ${textOf(cause)}`,
          { cause },
        );
      }
    }
    await Bun.sleep(options.intervalMs ?? 250);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
