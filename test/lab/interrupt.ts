// Ctrl-C and its relatives, as an AbortSignal.

/** Aborted with the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at once, and its children with it. */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // The listener stays: execa's clean-up ends the process at the signal when it finds no listener but its own.
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Error(`interrupted by ${signal}`));
    });
  }
  return controller.signal;
}
