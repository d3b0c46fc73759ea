// The loop of the daemon: a pass after each event, soon again while something is not finished, and now and then anyway.

import type { Log } from "../host/log.ts";
import { checkMountedFolders } from "../host/mounted-folders.ts";
import { listNodeFolders } from "../host/paths.ts";
import { Wakeup } from "../host/wakeup.ts";
import { formatContestedPins, writeContestedPins } from "../sriov/contested-pins.ts";
import { formatPodCpus, writePodCpus } from "../sriov/pod-cpus.ts";
import { createTopologyReader } from "../sriov/topology.ts";
import { formatTuningProblems, writeTuningProblems } from "../sriov/tuning-problems.ts";
import { listTuningRecords } from "../sriov/tuning-store.ts";
import { CpuManagerState } from "./cpu-manager-state.ts";
import { createFileTeller } from "./file-teller.ts";
import { LinkWatches, listAwaited } from "./link-watches.ts";
import type { TuningMetrics } from "./metrics.ts";
import { createNodeFactsReader } from "./node-facts.ts";
import { type TuningDaemonHost, watchNode } from "./node-watch.ts";
import { createPassMemory } from "./pass-memory.ts";
import { type PassReport, runPass } from "./pass.ts";
import { PinWatch } from "./pin-watch.ts";
import { ReportLog } from "./report-log.ts";
import { restoreVfs } from "./restore.ts";

/** Between passes when nothing happens: finds what no event tells. */
export const pollMs = 30_000;

/** Waits before looking again while something is unfinished; after the last one the poll takes over. */
export const retryDelaysMs = [25, 50, 100, 200, 400, 800, 1600, 3200] as const;

/** After a pass the node is left alone for so many times the pass's duration: a busy node's events must not keep a CPU busy. */
const restShare = 4;

/**
 * But never for longer. Waits of the pass (locks, irqbalance) count as its work, and with the look that finds an undone pin
 * (2.5 s) and the pass that puts it back the rest has to fit into 5 s.
 */
export const longestRestMs = 1_000;

const lockTimeoutMs = 200;

/** irqbalance answers within a few milliseconds, unless it is busy with a look of its own. */
const irqBalanceWaitMs = 100;

export interface ReconcilerOptions {
  readonly log: Log;
  readonly metrics: TuningMetrics;
  readonly signal: AbortSignal;
  readonly onPass?: (report: PassReport) => void;
}

/**
 * Runs until `signal` is aborted, and leaves all pins as they are then: the next start takes them over. Throws ERR_FOLDER_REMOVED.
 */
export async function reconcile(
  host: TuningDaemonHost,
  { log, metrics, signal, onPass }: ReconcilerOptions,
): Promise<void> {
  const memory = createPassMemory(host);
  const tellContested = createFileTeller(log, {
    known: memory.contests.list(),
    format: formatContestedPins,
    write: (contested) => writeContestedPins(host, contested),
    failure: "cannot write down which pins are contested",
  });
  const tellProblems = createFileTeller(log, {
    known: undefined,
    format: formatTuningProblems,
    write: (problems) => writeTuningProblems(host, problems),
    failure: "cannot write down what is wrong",
  });
  const readFacts = createNodeFactsReader(host, onEvent);
  const tellPodCpus = createFileTeller(log, {
    known: undefined,
    format: formatPodCpus,
    write: (cpus) => writePodCpus(host, cpus),
    failure: "cannot write down which pods have which CPUs",
  });
  const reports = new ReportLog(log);
  const wakeup = new Wakeup(host);
  const rest = new Wakeup(host);
  const readTopology = createTopologyReader(host);
  let retries = 0;
  function onEvent(): void {
    retries = 0;
    wakeup.wake();
  }
  const patience = { waitMs: irqBalanceWaitMs, onLate: onEvent };
  using _node = watchNode(host, onEvent);
  const others = [memory.irqBalance.finder, new CpuManagerState(host)];
  using pins = new PinWatch(host, others, onEvent);
  using links = new LinkWatches(host, onEvent);
  while (!signal.aborted) {
    checkMountedFolders(host.files, listNodeFolders(host.paths));
    let startedMs = host.clock.monotonicMs();
    const report = await attempt(log, "a pass failed", async () => {
      const facts = await readFacts(readTopology);
      // A kubelet that lets it wait keeps no CPU busy.
      startedMs = host.clock.monotonicMs();
      return runPass(host, { memory, facts, lockTimeoutMs, patience });
    });
    const passedMs = host.clock.monotonicMs();
    if (report !== undefined) {
      metrics.record(report, (passedMs - startedMs) / 1000, reports.add(report));
      tellContested(report.contested);
      tellProblems(report.problems);
      const { podCpus } = report.state.facts;
      if (podCpus !== undefined) tellPodCpus(podCpus);
      pins.follow(report);
      links.follow(listAwaited(report));
      onPass?.(report);
    } else {
      // Nobody looks which namespaces lost their names meanwhile, and a watch keeps its own from dying.
      links.follow([]);
      // What pods left needs neither the configuration nor anything else of a pass.
      const options = { evenInPods: () => false, lockTimeoutMs };
      const restored = await attempt(log, "a restore failed", async () =>
        restoreVfs(host, listTuningRecords(host), options),
      );
      if (restored !== undefined) metrics.recordRestored(restored, reports.addRestored(restored));
    }
    // A pass that failed as a whole is unfinished too: nobody looks at the pins until the next one.
    const isUnfinished = report?.isUnfinished ?? true;
    if (!isUnfinished) retries = 0;
    const delayMs = (isUnfinished ? retryDelaysMs[retries] : undefined) ?? pollMs;
    retries += 1;
    const restEndMs = (memory.contests.nextRestEndMs() ?? Infinity) - host.clock.monotonicMs();
    await wakeup.wait(Math.min(delayMs, Math.max(0, restEndMs)), signal);
    const restEndsMs = passedMs + Math.min(restShare * (passedMs - startedMs), longestRestMs);
    const restMs = restEndsMs - host.clock.monotonicMs();
    if (restMs > 0) await rest.wait(restMs, signal);
  }
  await memory.irqBalance.settle();
}

// A pass as a whole fails when the node itself can't be read (its CPUs, its records, node.yaml): the next one may not.
async function attempt<T>(log: Log, failure: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    log.error({ error }, failure);
    return undefined;
  }
}
