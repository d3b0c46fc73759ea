// Programs that the kernel kills with the thread that started them.

// The signal is asked for by the program itself: of a parent that had ended by then none comes any more (prctl(2), PR_SET_PDEATHSIG).
const endUnlessChildOf = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"';

/** `commandLine` under the same process id, for the process `parent` that starts it; it ends with 1 when that has ended already. */
export function boundTo(parent: number, commandLine: readonly string[]): readonly [string, ...string[]] {
  const checked = ["sh", "-c", endUnlessChildOf, "sh", String(parent), ...commandLine];
  return ["setpriv", "--pdeathsig", "KILL", ...checked];
}
