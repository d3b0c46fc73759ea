// `virtfn tuning`: the daemon, one pass, a dry run, or putting everything back.

import { runDaemon } from "../host/daemon.ts";
import { readInterruptCounts } from "../sriov/interrupt-counts.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { readTopology } from "../sriov/topology.ts";
import { listTuningRecords } from "../sriov/tuning-store.ts";
import { IrqBalanceFinder } from "./irqbalance/finder.ts";
import { leaveIrqBalance } from "./irqbalance/keep-off.ts";
import { createMetrics } from "./metrics.ts";
import { createNodeFactsReader, type NodeFacts } from "./node-facts.ts";
import { planNode } from "./node-plan.ts";
import { describeNode, formatNodeReport } from "./node-report.ts";
import { readNodeState } from "./node-state.ts";
import { parseTuningOptions, type TuningOptions, usage } from "./options.ts";
import { runPass, type TuningHost } from "./pass.ts";
import { reconcile } from "./reconciler.ts";
import type { TuningDaemonHost } from "./node-watch.ts";
import { createPassMemory } from "./pass-memory.ts";
import { describeProblem, type Problem } from "./problem.ts";
import { keepRepaired } from "./repair-loop.ts";
import { restoreVf, type RestoreOutcome } from "./restore.ts";

/** How long the one-time commands wait for a VF that the CNI is working on. */
const lockTimeoutMs = 5_000;

/**
 * Runs the command and gives its exit code: 1 when something could not be done, which is told. `print` takes the output of
 * the one-time commands (stdout). Throws ERR_USAGE, ERR_LISTEN_ADDRESS.
 */
export async function run(
  host: TuningDaemonHost,
  argv: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  const options = parseTuningOptions(argv);
  switch (options.command) {
    case "help":
      print(usage);
      return 0;
    case "daemon":
      return runTuningDaemon(host, options);
    case "once":
      return options.isDryRun ? dryRun(host, options.isJson, print) : runOnce(host, options.isJson, print);
    case "restore":
      return restoreAll(host, options.isJson, print);
  }
}

async function runTuningDaemon(
  host: TuningDaemonHost,
  { listen, logLevel }: Extract<TuningOptions, { readonly command: "daemon" }>,
): Promise<number> {
  const metrics = createMetrics(host);
  let passes = 0;
  const whyNotReady = (): string | undefined => (passes === 0 ? "has not looked at the node yet" : undefined);
  const daemon = { name: "tuning", listen, logLevel, whyNotReady, metrics: metrics.registry };
  return runDaemon(host, daemon, async (context) => {
    await Promise.all([
      reconcile(host, { ...context, metrics, onPass: () => void (passes += 1) }),
      keepRepaired(host, { ...context, metrics }),
    ]);
  });
}

async function dryRun(host: TuningHost, isJson: boolean, print: (text: string) => void): Promise<number> {
  const state = readNodeState(host, await readNodeFacts(host));
  const memory = createPassMemory(host);
  const seen = {
    state,
    plans: planNode(state, memory),
    problems: state.problems,
    contested: memory.contests.list(),
  };
  const report = describeNode(seen, readInterruptCounts(host));
  print(isJson ? formatJson(report) : formatNodeReport(report));
  return 0;
}

async function runOnce(host: TuningHost, isJson: boolean, print: (text: string) => void): Promise<number> {
  const pass = await runPass(host, {
    memory: createPassMemory(host),
    facts: await readNodeFacts(host),
    lockTimeoutMs,
  });
  const { applied, restored, problems, isUnfinished } = pass;
  const report = describeNode(pass, readInterruptCounts(host));
  const done = {
    ...report,
    applied: [...applied].map(([address, { result, pinned, masks }]) => ({
      address,
      result,
      pins: pinned.length,
      masks: masks.length,
    })),
    restored: listRestored(restored),
    isUnfinished,
  };
  print(isJson ? formatJson(done) : formatNodeReport(report));
  return problems.some(({ code }) => code !== "FALLBACK") ? 1 : 0;
}

async function restoreAll(host: TuningHost, isJson: boolean, print: (text: string) => void): Promise<number> {
  const outcomes = new Map<PciAddress, RestoreOutcome>();
  for (const address of listTuningRecords(host))
    outcomes.set(address, await restoreVf(host, address, { evenInPods: "all", lockTimeoutMs }));
  const irqBalance = await attemptLeave(host);
  const restored = listRestored(outcomes);
  const lines = restored.map(({ address, result, writes, problems }) =>
    [
      `${address}: ${result}, ${writes} values written back`,
      ...problems.map(({ message }) => `  ${message}`),
    ].join("\n"),
  );
  if (irqBalance !== undefined) lines.push(irqBalance.message);
  print(
    isJson
      ? formatJson({ restored, problems: irqBalance === undefined ? [] : [irqBalance] })
      : `${lines.join("\n") || "tuning has changed nothing"}\n`,
  );
  const isDone = restored.every(({ result }) => result === "restored" || result === "discarded");
  return isDone && irqBalance === undefined ? 0 : 1;
}

async function attemptLeave(host: TuningHost): Promise<Problem | undefined> {
  try {
    await leaveIrqBalance(host, new IrqBalanceFinder(host));
    return undefined;
  } catch (error) {
    return describeProblem("node", "irqbalance", error);
  }
}

async function readNodeFacts(host: TuningHost): Promise<NodeFacts> {
  return createNodeFactsReader(host)(readTopology(host));
}

function listRestored(
  outcomes: ReadonlyMap<PciAddress, RestoreOutcome>,
): readonly (RestoreOutcome & { readonly address: PciAddress })[] {
  return [...outcomes].map(([address, { result, writes, problems }]) => ({
    address,
    result,
    writes,
    problems,
  }));
}

function formatJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
