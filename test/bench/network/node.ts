// The node under test: turn by turn a variant is set up, every test is run and counted, and all is taken down again.

import { readAffinities, restoreAffinities } from "./affinities.ts";
import type { Clients } from "./clients.ts";
import { readIrqMap, type Sample, takeSample } from "./counters.ts";
import { serverAddress } from "./layout.ts";
import { sleepUntil } from "./load.ts";
import { type Measurement, toMeasurement } from "./measurement.ts";
import { netserverPort, type Netservers, startNetservers } from "./netservers.ts";
import type { BenchOptions } from "./options.ts";
import { PolicyNotInForceError } from "./policy-in-force.ts";
import type { Turn } from "./run-plan.ts";
import { sockperfPort, sockperfStartMs } from "./sockperf.ts";
import { type Run, type Step, withSteps } from "./step.ts";
import { isFixedRate, type TestName } from "./test-name.ts";
import { isSriov } from "./variant.ts";
import { planVariant, type VariantSetting } from "./variant-steps.ts";

export interface NodeSetting extends Omit<VariantSetting, "vfs"> {
  /** Before a variant with SR-IOV, and what there is then. */
  readonly vfSteps: readonly Step[];
  readonly readVfs: () => Promise<readonly string[]>;
  readonly options: Pick<BenchOptions, "tests" | "processes" | "seconds" | "warmUpSeconds">;
  readonly clients: Pick<Clients, "reach" | "load">;
  readonly signal: AbortSignal;
  /** Hears of each measurement when it is made. */
  readonly measured: (measurement: Measurement) => void;
  /** Hears what happened that is no reason to stop. */
  readonly note: (text: string) => void;
}

/** Between the order and the start, for the order's way to the clients and their questions for the time. */
const leadMs = 1_000;

/**
 * Carries the turns out. A test that fails is told to `note` and the bench goes on; a variant that can't be set up or taken down ends it.
 * One whose policy fell back is told to `note` and left out from then on: gives those turns.
 */
export async function runTurns(
  run: Run,
  turns: readonly Turn[],
  setting: NodeSetting,
): Promise<readonly Turn[]> {
  const fellBack: Turn[] = [];
  for (const turn of turns) {
    setting.signal.throwIfAborted();
    if (fellBack.some(({ variant }) => variant === turn.variant)) continue;
    try {
      await runTurnWithVfs(run, turn, setting);
    } catch (error) {
      if (!(error instanceof PolicyNotInForceError)) throw error;
      fellBack.push(turn);
      setting.note(`${turn.variant}: left out from round ${turn.round} on: ${error.message}`);
    }
  }
  return fellBack;
}

async function runTurnWithVfs(run: Run, turn: Turn, setting: NodeSetting): Promise<void> {
  if (!isSriov(turn.variant)) return runTurn(run, turn, { ...setting, vfs: [] });
  return withSteps(run, setting.vfSteps, async () =>
    runTurn(run, turn, { ...setting, vfs: await setting.readVfs() }),
  );
}

async function runTurn(run: Run, turn: Turn, setting: NodeSetting & VariantSetting): Promise<void> {
  const affinities = readAffinities();
  try {
    await withSteps(run, planVariant(turn.variant, setting), () => runTests(turn, setting));
  } finally {
    for (const problem of restoreAffinities(affinities)) setting.note(problem);
  }
}

async function runTests(turn: Turn, setting: NodeSetting): Promise<void> {
  const withSockperf = setting.options.tests.some(isFixedRate);
  await using netservers = startNetservers(turn.variant, { ...setting, withSockperf });
  const targets = Array.from({ length: setting.namespaces }, (_, at) => serverAddress(at));
  await setting.clients.reach(targets, netserverPort);
  for (const test of setting.options.tests) {
    setting.signal.throwIfAborted();
    netservers.check();
    const measurement = await measure(turn, test, targets, netservers, setting);
    if (measurement !== undefined) setting.measured(measurement);
  }
}

async function measure(
  turn: Turn,
  test: TestName,
  targets: readonly string[],
  netservers: Netservers,
  { clients, options, signal, note }: NodeSetting,
): Promise<Measurement | undefined> {
  const irqsBefore = readIrqMap();
  const startMs = Date.now() + leadMs;
  const fromMs = startMs + options.warmUpSeconds * 1000 + (isFixedRate(test) ? sockperfStartMs : 0);
  const toMs = fromMs + options.seconds * 1000;
  const load = isFixedRate(test)
    ? { port: sockperfPort, processes: 1 }
    : { port: netserverPort, processes: options.processes };
  const order = { type: "load", test, targets, ...load } as const;
  try {
    const [{ sum, busy }, samples] = await Promise.all([
      clients.load({ ...order, startMs, fromMs, toMs }),
      sample(netservers, { fromMs, toMs }, signal),
    ]);
    const evidence = { test, sum, clientBusy: busy, samples, irqsBefore, irqsAfter: readIrqMap() };
    return toMeasurement(turn, evidence);
  } catch (error) {
    signal.throwIfAborted();
    note(`round ${turn.round}, ${turn.variant}, ${test}: ${String(error)}`);
    return undefined;
  }
}

async function sample(
  { devices }: Netservers,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += 1000) {
    await sleepUntil(atMs, signal);
    samples.push(takeSample(devices));
  }
  return samples;
}
