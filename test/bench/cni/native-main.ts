// The calls of the native bench, from inside the node's namespace: rounds of ADDs at once, then of their DELs. Prints NativeFigures[].

import { onBenchInterrupt } from "../interrupt.ts";
import { vfAddress } from "../../support/fake-host-nic.ts";
import { spreadOf } from "./figures.ts";
import type { Contender, NativeFigures, NativeOrder } from "./native-order.ts";

interface Call {
  readonly ms: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly rssMb: number;
}

const signal = onBenchInterrupt();
const order = JSON.parse(await Bun.stdin.text()) as NativeOrder;
const { concurrency } = order;
// The first round warms the page cache and does not count.
for (const contender of order.contenders) await runRound(contender);
const rounds = Math.max(3, Math.ceil(order.calls / concurrency));
const runs = order.contenders.map((contender) => ({
  contender,
  adds: newCalls(),
  dels: newCalls(),
  seconds: 0,
}));
// In turn, so that a slow moment of the machine hits all.
for (let round = 0; round < rounds; round += 1)
  for (const run of runs) {
    const { adds, dels, seconds } = await runRound(run.contender);
    run.adds.push(...adds);
    run.dels.push(...dels);
    run.seconds += seconds;
  }
console.log(JSON.stringify(runs.map((run) => toFigures(run.contender, run))));

async function runRound(
  contender: Contender,
): Promise<{ readonly adds: readonly Call[]; readonly dels: readonly Call[]; readonly seconds: number }> {
  // No call is under way here.
  if (signal.aborted) process.exit(130);
  const all = (verb: string): Promise<readonly Call[]> =>
    Promise.all(Array.from({ length: concurrency }, (_, at) => call(contender, verb, at)));
  const startMs = performance.now();
  const adds = await all("ADD");
  const seconds = (performance.now() - startMs) / 1000;
  return { adds, seconds, dels: await all("DEL") };
}

async function call(contender: Contender, verb: string, at: number): Promise<Call> {
  const { name, command, config, links } = contender;
  const pod = order.pods[at] ?? "";
  const link = `${links}${at}`;
  const environment = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: `bench${at}`,
    CNI_NETNS: pod,
    CNI_IFNAME: "net1",
    CNI_PATH: "/usr/lib/cni",
  };
  const startMs = performance.now();
  const child = Bun.spawn([...command, ...(config === undefined ? [verb, pod, link] : [])], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdin: new Blob([(config ?? "").replace("DEVICE", vfAddress("0000:3b:00.0", at)).replace("LINK", link)]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const ms = performance.now() - startMs;
  if (!endedAsExpected(contender, verb, child.exitCode, stdout))
    throw new Error(`${verb} of ${name}: exit code ${child.exitCode}: ${stdout}${stderr}`);
  return { ms, stdout, stderr, rssMb: (child.resourceUsage()?.maxRSS ?? 0) / 1024 ** 2 };
}

function endedAsExpected(
  { failure }: Contender,
  verb: string,
  exitCode: number | null,
  stdout: string,
): boolean {
  if (verb !== "ADD" || failure === undefined) return exitCode === 0;
  return exitCode === 1 && stdout.includes(`"${failure}: `);
}

function newCalls(): Call[] {
  return [];
}

function toFigures(
  contender: Contender,
  run: { readonly adds: readonly Call[]; readonly dels: readonly Call[]; readonly seconds: number },
): NativeFigures {
  const inside = run.adds.map(readInsideMs).filter((ms) => ms !== undefined);
  return {
    contender: contender.name,
    concurrency,
    failure: contender.failure,
    addMs: spreadOf(run.adds.map(({ ms }) => ms)),
    delMs: spreadOf(run.dels.map(({ ms }) => ms)),
    insideMs: inside.length === 0 ? undefined : spreadOf(inside),
    steps: toSteps(run.adds),
    addsPerSecond: spreadOf([run.adds.length / run.seconds]).median,
    peakRssMb: Math.round(Math.max(...run.adds.map(({ rssMb }) => rssMb))),
  };
}

// The floor prints its time; the plugin's log line has it as ms=.
function readInsideMs({ stdout, stderr }: Call): number | undefined {
  const logged = / ms=([\d.]+)/.exec(stderr)?.[1];
  const ms = Number(logged ?? stdout);
  return Number.isNaN(ms) ? undefined : ms;
}

function toSteps(adds: readonly Call[]): Readonly<Record<string, number>> {
  const times = new Map<string, number[]>();
  for (const { stderr } of adds) {
    const line = / steps="([^"]+)"/.exec(stderr)?.[1] ?? "";
    for (const [, name = "", ms] of line.matchAll(/([\w ]+?) ([\d.]+) ms/g))
      times.set(name.trim(), [...(times.get(name.trim()) ?? []), Number(ms)]);
  }
  return Object.fromEntries([...times].map(([name, values]) => [name, spreadOf(values).median]));
}
