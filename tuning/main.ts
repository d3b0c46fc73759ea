// `virtfn tuning`: the daemon, one pass, a dry run, or putting everything back.

import { runDaemon } from "../host/daemon.ts";
import { readInterruptCounts } from "../sriov/interrupt-counts.ts";
import { measureInterrupts } from "../sriov/interrupt-rates.ts";
import { readTopology } from "../sriov/topology.ts";
import { planChannels } from "./channel-plan.ts";
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
import { keepRepaired } from "./repair-loop.ts";
import { planRfsTable } from "./rfs-table.ts";
import { countSeenRfsUsers } from "./rfs-users.ts";
import { listRestored, restoreAll } from "./restore-all.ts";

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
      return restoreAll(host, { ...options, lockTimeoutMs }, print);
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
  const rates = await measureInterrupts(host);
  const state = readNodeState(host, await readNodeFacts(host));
  const memory = createPassMemory(host);
  const plans = planNode(state, memory);
  const seen = {
    state,
    plans,
    problems: [
      ...state.problems,
      ...state.vfs.flatMap((target) => planChannels(target, memory.refusals).problems),
      ...plans.flatMap(({ problems }) => problems),
    ],
    contested: memory.contests.list(),
  };
  const readings = { counts: readInterruptCounts(host), rates };
  const report = describeNode(seen, readings, planRfsTable(host, countSeenRfsUsers(state)));
  print(isJson ? formatJson(report) : formatNodeReport(report));
  return 0;
}

async function runOnce(host: TuningHost, isJson: boolean, print: (text: string) => void): Promise<number> {
  const memory = createPassMemory(host);
  const pass = await runPass(host, { memory, facts: await readNodeFacts(host), lockTimeoutMs });
  const { applied, restored, problems, isUnfinished } = pass;
  const report = describeNode(pass, { counts: readInterruptCounts(host) });
  const done = {
    ...report,
    applied: [...applied].map(([address, { result, pinned, masks, values }]) => ({
      address,
      result,
      pins: pinned.length,
      masks: masks.length,
      values: values.length,
    })),
    restored: listRestored(restored),
    isUnfinished,
  };
  // Before it prints: who prints into a pipe that nobody reads ends there.
  await memory.irqBalance.settle();
  print(isJson ? formatJson(done) : formatNodeReport(report));
  return problems.some(({ code }) => code !== "FALLBACK") ? 1 : 0;
}

async function readNodeFacts(host: TuningHost): Promise<NodeFacts> {
  return createNodeFactsReader(host)(() => readTopology(host));
}

function formatJson(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
