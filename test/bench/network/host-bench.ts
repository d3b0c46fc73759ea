// The bench on this machine: as the node under test, as a client of one, or as both.

import { isIrqbalanceActive, type MachineFacts, readMachine } from "./machine.ts";
import { runClient } from "./client.ts";
import { listenForClients } from "./clients.ts";
import { peerNamespace, standInPeer, standInPf } from "./layout.ts";
import type { Measurement } from "./measurement.ts";
import { runTurns } from "./node.ts";
import { findLeftovers, type PfFacts, readPfFacts, whyNoVariant, whyRefuse } from "./node-facts.ts";
import { planNode, planPeer, planStandIn, planVfs } from "./node-steps.ts";
import type { BenchOptions } from "./options.ts";
import { planTurns, type Turn } from "./run-plan.ts";
import { isFixedRate, unitOf } from "./test-name.ts";
import { type Run, withSteps } from "./step.ts";
import type { Variant } from "./variant.ts";

export interface BenchTools {
  readonly run: Run;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  /** Executables of virtfn, for the variants with SR-IOV. */
  readonly executables: { readonly cni: string; readonly virtfn: string };
  /** Each measurement as soon as it is made. */
  readonly measured: (measurement: Measurement) => void;
}

export interface BenchOutcome {
  readonly machine: MachineFacts;
  readonly measurements: readonly Measurement[];
  /** What could not be measured, and why. */
  readonly left: readonly string[];
  /** The first turn of each variant whose policy was not in force: it was not measured, nor was any after it. */
  readonly fellBack: readonly Turn[];
}

/** The bench may not run here; the message has every reason. */
class BenchRefusedError extends Error {
  constructor(reasons: readonly string[]) {
    super(`the bench does not run here:\n${reasons.map((reason) => `- ${reason}`).join("\n")}`);
  }
}

/** As a client, until the node under test is done. */
export async function serveAsClient(
  options: BenchOptions,
  { run, signal }: Pick<BenchTools, "run" | "signal">,
): Promise<void> {
  const { name, isUp, uses } = await readPfFacts(run, options.pf ?? "");
  if (uses.length > 0) throw new BenchRefusedError(uses.map((use) => `${name} is in use: ${use}`));
  const { servers, port } = options;
  await runClient(run, { servers, defaultPort: port, link: name, isUp }, signal);
}

/** As the node under test, with a client on the same machine when the role is `both`. Leaves the node as it was, whatever fails. */
export async function measureHere(options: BenchOptions, tools: BenchTools): Promise<BenchOutcome> {
  const { run } = tools;
  await checkPrograms(options, run);
  const leftovers = await findLeftovers(run);
  const given = options.pf === undefined ? undefined : await readPfFacts(run, options.pf);
  const peer = options.peer === undefined ? undefined : await readPfFacts(run, options.peer);
  const refused = whyRefuse(options, given, leftovers);
  const ofPeer = (peer?.uses ?? []).map((use) => `${peer?.name} is in use: ${use}`);
  if (refused.length + ofPeer.length > 0) throw new BenchRefusedError([...refused, ...ofPeer]);
  const outcome = await withSteps(run, given === undefined ? planStandIn : [], () =>
    options.role === "both"
      ? measureBoth(options, given ?? standIn, peer ?? standInClient, tools)
      : measureNode(options, given ?? standIn, tools, () => {}),
  );
  const after = await findLeftovers(run);
  if (after.length > 0) throw new Error(`not taken down; to remove it: ${after.join("; ")}`);
  return outcome;
}

async function checkPrograms({ role, tests }: BenchOptions, run: Run): Promise<void> {
  const needed = [
    ["netperf", "netserver", "-V"],
    ...(role === "both" ? [["netperf", "netperf", "-V"] as const] : []),
    ...(tests.some(isFixedRate) ? [["sockperf", "sockperf", "--version"] as const] : []),
  ] as const;
  for (const [debianPackage, ...argv] of needed)
    await run({ argv }).catch((cause: unknown) => {
      const what = `${argv[0]} does not run (Debian 13: package ${debianPackage})`;
      throw new BenchRefusedError([`${what}: ${String(cause)}`]);
    });
}

const standInClient = { name: standInPeer, isUp: false };
const standIn: PfFacts = { name: standInPf, isUp: false, uses: [], sriov: undefined };

async function measureBoth(
  options: BenchOptions,
  pf: PfFacts,
  peer: Pick<PfFacts, "name" | "isUp">,
  tools: BenchTools,
): Promise<BenchOutcome> {
  const giveUp = new AbortController();
  const signal = AbortSignal.any([giveUp.signal, tools.signal]);
  return withSteps(tools.run, planPeer(peer.name, peer.isUp, process.pid), async () => {
    let client: Promise<void> = Promise.resolve();
    const startClient = (port: number): void => {
      const servers = [{ host: "127.0.0.1", port }];
      const setting = { servers, defaultPort: port, link: peer.name, isUp: false, netns: peerNamespace };
      client = runClient(tools.run, setting, signal);
      client.catch((error: unknown) => giveUp.abort(error));
    };
    try {
      return await measureNode({ ...options, clients: 1, port: 0 }, pf, { ...tools, signal }, startClient);
    } finally {
      // It has put its interface back when it returns; why it failed is the signal's reason.
      await client.catch(() => {});
    }
  });
}

async function measureNode(
  options: BenchOptions,
  pf: PfFacts,
  tools: BenchTools,
  listening: (port: number) => void,
): Promise<BenchOutcome> {
  const { run, signal, progress, executables } = tools;
  const left: string[] = [];
  const variants: Variant[] = [];
  for (const variant of options.variants) {
    const why = await whyNoVariant(run, variant);
    if (why === undefined) variants.push(variant);
    else left.push(`${variant}: ${why}`);
  }
  for (const line of left) progress(`left out: ${line}`);
  if (variants.length === 0) throw new BenchRefusedError(left);
  const isBalanced = await isIrqbalanceActive(run);
  const steps = planNode(pf, isBalanced);
  return withSteps(run, steps, async () => {
    await using clients = await listenForClients(options.clients, options.port, signal);
    listening(clients.port);
    progress(`port ${clients.port}: waiting for ${options.clients} client(s)`);
    await clients.ready();
    const measurements: Measurement[] = [];
    const turns = planTurns(variants, options.rounds, options.seed);
    const irqbalance = isBalanced ? "was running, stopped for the bench" : "not running as a service";
    const machine = { ...(await readMachine(run, pf.name)), irqbalance };
    const fellBack = await runTurns(run, turns, {
      pf: pf.name,
      namespaces: options.namespaces,
      vfSteps: planVfs(pf, options.namespaces),
      readVfs: async () => (await readPfFacts(run, pf.name)).sriov?.vfs ?? [],
      ...executables,
      options,
      clients,
      signal,
      measured: (measurement) => {
        measurements.push(measurement);
        tools.measured(measurement);
        progress(formatProgress(measurement, options.rounds));
      },
      note: (text) => {
        left.push(text);
        progress(text);
      },
    });
    return { machine, measurements, left, fellBack };
  });
}

function formatProgress(measurement: Measurement, rounds: number): string {
  const { round, variant, test, rate, packetsPerSecond, cpuSecondsPerMillion, clientBusy } = measurement;
  const figures = [
    `${Math.round(rate)} ${unitOf(test)}`,
    `${Math.round(packetsPerSecond)} packets/s`,
    `${cpuSecondsPerMillion.toFixed(1)} CPU s per million`,
    `client ${Math.round(clientBusy * 100)} % busy`,
  ];
  return `round ${round} of ${rounds}, ${variant}, ${test}: ${figures.join(", ")}`;
}
