// `virtfn deviceplugin`: scans the node, offers its VFs to the kubelet, and scans again whenever something may have changed.
import { type DaemonContext, type DaemonOptions, runDaemon } from "../host/daemon.ts";
import { LockTimeoutError } from "../host/errors.ts";
import { Wakeup } from "../host/wakeup.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { parseDevicePluginArguments, usage } from "./arguments.ts";
import { type DevicePluginHost, watchChanges } from "./changes.ts";
import { ConfigSource } from "./config-source.ts";
import type { DeviceTree } from "./device-tree.ts";
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
  const { help, listen, logLevel, configFile, resourcePrefix } = parseDevicePluginArguments(args);
  if (help) {
    console.log(usage.trimEnd());
    return 0;
  }
  const metrics = createMetrics();
  let plugin: Plugin | undefined;
  const options: DaemonOptions = {
    name: "deviceplugin",
    listen,
    logLevel,
    metrics: metrics.registry,
    whyNotReady: () => (plugin === undefined ? "starting" : whyNotReady(plugin)),
    notes: () => (plugin?.config.problem === undefined ? [] : [`configuration: ${plugin.config.problem}`]),
  };
  return runDaemon(host, options, async (context) => {
    using _instance = await becomeOnlyInstance(host, context);
    const config = new ConfigSource(host, { configFile, prefix: resourcePrefix, log: context.log });
    const manager = new Manager(host, metrics, context.log);
    plugin = { manager, config };
    try {
      await followNode(host, plugin, metrics, context);
    } finally {
      await manager.stop();
    }
  });
}

interface Plugin {
  readonly manager: Manager;
  readonly config: ConfigSource;
}

/** A configuration that was never good is all there is to say. */
function whyNotReady({ manager, config }: Plugin): string | undefined {
  return config.isInForce ? manager.whyNotReady() : "no configuration is in force";
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
  { manager, config }: Plugin,
  metrics: DevicePluginMetrics,
  { signal, log }: DaemonContext,
): Promise<void> {
  const wakeup = new Wakeup(host);
  const pause = new Wakeup(host);
  using stack = new DisposableStack();
  stack.use(watchChanges(host, () => wakeup.wake()));
  let configWatch: Disposable | undefined;
  while (!signal.aborted) {
    const startedMs = host.clock.monotonicMs();
    configWatch ??= stack.use(config.watch(() => wakeup.wake()));
    const pools = config.read();
    metrics.configValid.set(config.problem === undefined ? 1 : 0);
    try {
      if (pools !== undefined) await manager.apply(scan(host, pools, metrics));
    } catch (error) {
      metrics.scanFailures.inc();
      log.error({ error }, "cannot read the devices of the node");
    }
    await wakeup.wait(pollMs, signal);
    const distanceMs = startedMs + scanDistanceMs - host.clock.monotonicMs();
    await pause.wait(Math.max(gatherMs, distanceMs), signal);
  }
}

function scan(
  host: DevicePluginHost,
  pools: readonly ResourcePool[],
  metrics: DevicePluginMetrics,
): DeviceTree {
  const startedMs = host.clock.monotonicMs();
  const tree = scanDevices(host, pools);
  metrics.scanSeconds.observe((host.clock.monotonicMs() - startedMs) / 1000);
  return tree;
}
