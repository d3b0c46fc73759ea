// `virtfn deviceplugin`: scans the node, offers its VFs to the kubelet, and scans again whenever something may have changed.
import { type DaemonContext, type DaemonOptions, runDaemon } from "../host/daemon.ts";
import { HostError, LockTimeoutError } from "../host/errors.ts";
import type { Log } from "../host/log.ts";
import { checkMountedFolders } from "../host/mounted-folders.ts";
import { listNodeFolders } from "../host/paths.ts";
import { Wakeup } from "../host/wakeup.ts";
import { devicePluginLock } from "../sriov/advertised-pools.ts";
import { watchAttachments } from "../sriov/attachment-store.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { readTuningProblems } from "../sriov/tuning-problems.ts";
import { parseDevicePluginArguments, usage } from "./arguments.ts";
import { type DevicePluginHost, watchChanges } from "./changes.ts";
import { findAccess, openCluster } from "./cluster-client.ts";
import { ClusterReporter } from "./cluster-reporter.ts";
import { ConfigSource } from "./config-source.ts";
import { HealthTracker } from "./health-tracker.ts";
import { knowDevices, type KnownDevices, readKnownDevices } from "./known-devices.ts";
import { Manager } from "./manager.ts";
import { createMetrics, type DevicePluginMetrics } from "./metrics.ts";
import { type Scan, scanDevices } from "./scanner.ts";
import { followUnrecordedPods, type UnrecordedSink } from "./unrecorded-loop.ts";

/** Events can be lost: the node is looked at this often anyway. */
const pollMs = 30_000;
/** Limits that could not be written down are tried again this often. */
const behindMs = 2_000;
/** A change of VFs is many events: they are answered together, and scans have a distance. */
const gatherMs = 50;
const scanDistanceMs = 400;
/** How long one attempt at the lock lasts; a signal is looked at in between. */
const lockAttemptMs = 1_000;

/** Runs until SIGTERM or SIGINT; gives the exit code. Throws ERR_USAGE for bad flags. */
export async function run(host: DevicePluginHost, args: readonly string[]): Promise<number> {
  const { help, listen, logLevel, configFile, resourcePrefix, useCdi, reportNode } =
    parseDevicePluginArguments(args);
  if (help) {
    console.log(usage.trimEnd());
    return 0;
  }
  const metrics = createMetrics(host);
  let plugin: Plugin | undefined;
  let startReason = "starting";
  const options: DaemonOptions = {
    name: "deviceplugin",
    listen,
    logLevel,
    metrics: metrics.registry,
    whyNotReady: () => (plugin === undefined ? startReason : whyNotReady(plugin)),
    notes: () => (plugin?.config.problem === undefined ? [] : [`configuration: ${plugin.config.problem}`]),
  };
  return runDaemon(host, options, async (context) => {
    using _instance = await becomeOnlyInstance(host, context, (reason) => (startReason = reason));
    const config = new ConfigSource(host, { configFile, prefix: resourcePrefix, log: context.log });
    const manager = new Manager(host, metrics, context.log, { useCdi });
    const reporter = reportNode === undefined ? undefined : createReporter(host, reportNode, context.log);
    plugin = { manager, config, reporter };
    const unrecorded: UnrecordedSink = {
      resources: () => metrics.resources(),
      setUnrecorded: (devices) => {
        metrics.setUnrecorded(devices);
        reporter?.noteUnrecorded(devices);
      },
    };
    try {
      await Promise.all([
        followNode(host, plugin, metrics, context),
        followUnrecordedPods(host, unrecorded, context),
        reporter?.run(context.signal),
      ]);
    } finally {
      await manager.stop();
    }
  });
}

interface Plugin {
  readonly manager: Manager;
  readonly config: ConfigSource;
  readonly reporter: ClusterReporter | undefined;
}

function createReporter(host: DevicePluginHost, node: string, log: Log): ClusterReporter {
  return new ClusterReporter(host, (signal) => openCluster(host, findAccess(process.env, node), signal), log);
}

/** A configuration that was never good is all there is to say. */
function whyNotReady({ manager, config }: Pick<Plugin, "manager" | "config">): string | undefined {
  return config.isInForce ? manager.whyNotReady() : "no configuration is in force";
}

/**
 * Two device plugins of one node, as in an overlapping upgrade, would take the socket from each other for ever: nothing is offered
 * without the lock, also where it cannot be made (a full /run, where ADD could not lock a VF either).
 */
async function becomeOnlyInstance(
  host: DevicePluginHost,
  { log, signal }: DaemonContext,
  onWait: (reason: string) => void,
): Promise<Disposable | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    checkMountedFolders(host.files, listNodeFolders(host.paths));
    try {
      return await host.locks.acquire(devicePluginLock, { timeoutMs: lockAttemptMs });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (attempt === 0) log.error({ error }, "cannot become the only device plugin of the node");
      const isTaken = error instanceof LockTimeoutError;
      const what = isTaken
        ? "another device plugin of the node still runs"
        : "cannot lock out another device plugin of the node";
      onWait(`${what}: ${error.message}`);
      if (!isTaken) await new Wakeup(host).wait(lockAttemptMs, signal);
    }
  }
  return undefined;
}

// An event tells of no problem: they are looked at with the devices.
function noteTuning(host: DevicePluginHost, reporter: ClusterReporter, log: Log): void {
  try {
    reporter.noteTuning(readTuningProblems(host));
  } catch (error) {
    log.warn({ error }, "cannot read what tuning could not do");
  }
}

async function followNode(
  host: DevicePluginHost,
  { manager, config, reporter }: Plugin,
  metrics: DevicePluginMetrics,
  { signal, log }: DaemonContext,
): Promise<void> {
  const wakeup = new Wakeup(host);
  const pause = new Wakeup(host);
  using stack = new DisposableStack();
  stack.use(watchChanges(host, () => wakeup.wake()));
  stack.use(manager.watch(() => wakeup.wake()));
  const health = new HealthTracker();
  let configWatch: Disposable | undefined;
  let recordWatch: Disposable | undefined;
  let known = knowWhatWas(host, log);
  while (!signal.aborted) {
    const startedMs = host.clock.monotonicMs();
    checkMountedFolders(host.files, listNodeFolders(host.paths));
    configWatch ??= stack.use(config.watch(() => wakeup.wake()));
    recordWatch ??= stack.use(watchRecords(host, () => wakeup.wake()));
    const pools = config.read();
    reporter?.noteConfig(config.problem);
    if (reporter !== undefined) noteTuning(host, reporter, log);
    metrics.configValid.set(config.problem === undefined ? 1 : 0);
    try {
      if (pools !== undefined) {
        const seen = scan(host, pools, known, metrics);
        known = knowDevices(seen);
        const judged = health.apply(seen, host.clock.monotonicMs());
        await manager.apply(judged);
        reporter?.follow(judged);
      }
    } catch (error) {
      metrics.scanFailures.inc();
      log.error({ error }, "cannot read the devices of the node");
    }
    const dueMs = (health.nextLookMs() ?? Infinity) - host.clock.monotonicMs();
    const restMs = manager.isBehind ? behindMs : pollMs;
    await wakeup.wait(Math.max(0, Math.min(restMs, dueMs)), signal);
    const distanceMs = startedMs + scanDistanceMs - host.clock.monotonicMs();
    await pause.wait(Math.max(gatherMs, distanceMs), signal);
  }
}

/** On a node that never had a pod the folder is not there yet, and the device plugin may write none: tried again at each look. */
function watchRecords(host: DevicePluginHost, onChange: () => void): Disposable | undefined {
  try {
    return watchAttachments(host, onChange);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** A list that cannot be read is as none: devices in use are told by what selects them. */
function knowWhatWas(host: DevicePluginHost, log: Log): KnownDevices {
  try {
    return readKnownDevices(host);
  } catch (error) {
    log.warn({ error }, "cannot read what was offered before");
    return new Map();
  }
}

function scan(
  host: DevicePluginHost,
  pools: readonly ResourcePool[],
  known: KnownDevices,
  metrics: DevicePluginMetrics,
): Scan {
  const startedMs = host.clock.monotonicMs();
  const tree = scanDevices(host, pools, known);
  metrics.scanSeconds.observe((host.clock.monotonicMs() - startedMs) / 1000);
  return tree;
}
