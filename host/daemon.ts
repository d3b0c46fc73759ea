// The life of a daemon: signals become an abort signal, the health endpoint is up while the body runs, the end has a deadline.
import type { Host } from "./host.ts";
import { type HealthSources, type ListenAddress, serveHealth } from "./health-server.ts";
import { createLog, type Log, type LogLevel } from "./log.ts";

export interface DaemonOptions extends HealthSources {
  /** Program name in every log line: "deviceplugin", "tuning". */
  readonly name: string;
  /** Where /healthz, /readyz and /metrics are served; `undefined`: nowhere. */
  readonly listen: ListenAddress | undefined;
  readonly logLevel?: LogLevel;
}

export interface DaemonContext {
  /** Aborted at SIGTERM or SIGINT: the body puts its things in order and returns. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** How long the body may take to return after the signal. */
const shutdownTimeoutMs = 10_000;

/**
 * Runs `body` until it returns, or until it has returned after SIGTERM or SIGINT, and gives the exit code: 0, or 1 when it
 * failed or did not end in time. A second signal ends the process at once. The caller ends the process with the code.
 */
export async function runDaemon(
  host: Pick<Host, "clock">,
  options: DaemonOptions,
  body: (context: DaemonContext) => Promise<void>,
): Promise<number> {
  startCollectorThreads();
  const log = createLog(options.name, options.logLevel);
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal: name }, "stopping");
    stop.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const health = options.listen === undefined ? undefined : serveHealth(host, options.listen, options, log);
  try {
    await Promise.race([body({ signal: stop.signal, log }), failWhenLate(host, stop.signal)]);
    log.info("stopped");
    return 0;
  } catch (error) {
    log.error({ error }, "stopped by an error");
    return 1;
  } finally {
    health?.[Symbol.dispose]();
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

/**
 * A thread begins in the network namespace of the one that starts it. The collector's start at its first run: were that
 * during a visit to a pod's namespace, they would keep that namespace as long as the daemon lives.
 */
function startCollectorThreads(): void {
  Bun.gc(true);
}

async function failWhenLate(host: Pick<Host, "clock">, signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await host.clock.sleep(shutdownTimeoutMs);
  throw new Error(`did not stop within ${shutdownTimeoutMs} ms of the signal`);
}
