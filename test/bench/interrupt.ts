// Ctrl-C and its relatives, as an AbortSignal. Unlike elsewhere a second one changes nothing: the node is not left half changed.

/** Aborted with the first SIGINT, SIGTERM or SIGHUP; whoever sends another is told that the way back is under way. */
export function onBenchInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) console.error("putting everything back");
      else controller.abort(new Error(`interrupted by ${signal}`));
    });
  return controller.signal;
}
