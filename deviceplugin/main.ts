// `virtfn deviceplugin`: scans the node, offers its VFs to the kubelet, and scans again whenever something may have changed.
import { type DaemonContext, runDaemon } from "../host/daemon.ts";
import { LockTimeoutError } from "../host/errors.ts";
import { Wakeup } from "../host/wakeup.ts";
import { parseDevicePluginArguments, usage } from "./arguments.ts";
import { type DevicePluginHost, watchChanges } from "./changes.ts";
import { Manager } from "./manager.ts";
import { createMetrics, type DevicePluginMetrics } from "./metrics.ts";
import { scanDevices } from "./scanner.ts";

/** Events can be lost: the node is looked at this often anyway. */
const pollMs = 30_000;
/** A change of VFs is many events: they are answered together, and scans have a distance. */
const gatherMs = 50;
const scanDistanceMs = 400;
/** How long one attempt at the lock lasts; a signal is looked at in between. */
const lockAttemptMs = 1_000;

/** Runs until SIGTERM or SIGINT; gives the exit code. Throws ERR_USAGE for bad flags. */
export async function run(host: DevicePluginHost, args: readonly string[]): Promise<number> {
  const { help, listen, logLevel } = parseDevicePluginArguments(args);
  if (help) {
    console.log(usage.trimEnd());
    return 0;
  }
  const metrics = createMetrics();
  let manager: Manager | undefined;
  const whyNotReady = (): string | undefined => (manager === undefined ? "starting" : manager.whyNotReady());
  const options = { name: "deviceplugin", listen, logLevel, metrics: metrics.registry, whyNotReady };
  return runDaemon(host, options, async (context) => {
    using _instance = await becomeOnlyInstance(host, context);
    manager = new Manager(host, metrics, context.log);
    try {
      await followNode(host, manager, metrics, context);
    } finally {
      await manager.stop();
    }
  });
}

/** Two device plugins of one node, as in an overlapping upgrade, would take the socket from each other for ever. */
async function becomeOnlyInstance(
  host: DevicePluginHost,
  { log, signal }: DaemonContext,
): Promise<Disposable | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      return await host.locks.acquire("deviceplugin", { timeoutMs: lockAttemptMs });
    } catch (error) {
      if (attempt === 0) log.error({ error }, "cannot become the only device plugin of the node");
      if (!(error instanceof LockTimeoutError)) return undefined;
    }
  }
  return undefined;
}

async function followNode(
  host: DevicePluginHost,
  manager: Manager,
  metrics: DevicePluginMetrics,
  { signal, log }: DaemonContext,
): Promise<void> {
  const wakeup = new Wakeup(host);
  const pause = new Wakeup(host);
  using _changes = watchChanges(host, () => wakeup.wake());
  while (!signal.aborted) {
    const startedMs = host.clock.monotonicMs();
    try {
      const tree = scanDevices(host);
      metrics.scanSeconds.observe((host.clock.monotonicMs() - startedMs) / 1000);
      await manager.apply(tree);
    } catch (error) {
      metrics.scanFailures.inc();
      log.error({ error }, "cannot read the devices of the node");
    }
    await wakeup.wait(pollMs, signal);
    const distanceMs = startedMs + scanDistanceMs - host.clock.monotonicMs();
    await pause.wait(Math.max(gatherMs, distanceMs), signal);
  }
}
