// Benches that make something on the machine: Ctrl-C and its relatives end them with all of it taken away.

import { onBenchInterrupt } from "./interrupt.ts";

/** Does `work`, which ends with an error soon after its signal is aborted; the process then ends with 130. */
export async function runInterruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = onBenchInterrupt();
  try {
    await work(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    console.error((signal.reason as Error).message);
    process.exitCode = 130;
  }
}

/** What `work` gives, unless the signal is sooner: then its reason is thrown, whatever becomes of `work`. */
export async function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
