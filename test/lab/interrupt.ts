// Ctrl-C and its relatives, as an AbortSignal.

/** Aborted with the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at once, and its children with it. */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => controller.abort(new Error(`interrupted by ${signal}`)));
  }
  return controller.signal;
}
