// The client's work: processes of netperf or sockperf against every target, started at one time, and what they did in the window.

import { statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

import { takeSample } from "./counters.ts";
import { busyShare } from "./measurement.ts";
import type { LoadOrder } from "./message.ts";
import { netperfArguments, parseNetperf } from "./netperf.ts";
import { parseSockperf, sockperfArguments } from "./sockperf.ts";
import { isFixedRate, offeredRate } from "./test-name.ts";
import { sumWindow, type WindowSum } from "./window.ts";

export interface LoadResult {
  readonly sum: WindowSum;
  /** Share of this machine's CPUs that was busy in the window, 0 to 1. */
  readonly busy: number;
}

/** Beyond the window, for processes that start late. */
const tailSeconds = 3;
/** After its time is over a process may wait for a packet that was lost. */
const graceSeconds = 10;

/** `prefix` runs a program in the client's network namespace. Times of `order` are this machine's. Throws when no process did anything. */
export async function runLoad(
  order: LoadOrder,
  prefix: readonly string[],
  signal: AbortSignal,
): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), "vbench-load-"));
  try {
    await sleepUntil(order.startMs, signal);
    const running = Promise.all(
      order.targets.map((address) => runProcesses(order, address, folder, prefix, signal)),
    );
    const [busy] = await Promise.all([sampleWindow(order, signal), running]);
    const files = (await readdir(folder)).map((name) => join(folder, name));
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
    const outputs = texts.map((text, at) =>
      isFixedRate(order.test) ? parseSockperf(text, statSync(files[at] ?? "").mtimeMs) : parseNetperf(text),
    );
    if (outputs.every(({ interim }) => interim.length === 0))
      throw new Error(
        `${commandOf(order, "")[0]} did nothing: ${texts[0]?.trim().slice(0, 500) ?? "no output"}`,
      );
    return { sum: sumWindow(outputs, order), busy };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function secondsOf({ startMs, toMs }: LoadOrder): number {
  return Math.ceil((toMs - startMs) / 1000) + tailSeconds;
}

function commandOf(order: LoadOrder, address: string): readonly string[] {
  const where = { address, port: order.port, seconds: secondsOf(order) };
  return isFixedRate(order.test)
    ? ["sockperf", ...sockperfArguments(offeredRate(order.test), where)]
    : ["netperf", ...netperfArguments(order.test, where)];
}

async function runProcesses(
  order: LoadOrder,
  address: string,
  folder: string,
  prefix: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // One shell starts them all: 1,200 processes from here would start later than one after the other.
  const script =
    'folder=$1 address=$2 n=$3; shift 3; i=0; while [ $i -lt $n ]; do "$@" >"$folder/$address-$i" 2>&1 & i=$((i+1)); done; wait';
  // timeout(1) ends its whole process group, also when it is ended itself.
  const limit = ["timeout", "--kill-after=5", String(secondsOf(order) + graceSeconds)];
  const words = [...limit, ...prefix, "sh", "-c", script, "sh", folder, address, String(order.processes)];
  const [file = "", ...args] = [...words, ...commandOf(order, address)];
  await execa(file, args, { stdin: "ignore", reject: false, cancelSignal: signal });
  signal.throwIfAborted();
}

async function sampleWindow({ fromMs, toMs }: LoadOrder, signal: AbortSignal): Promise<number> {
  await sleepUntil(fromMs, signal);
  const first = takeSample([]);
  await sleepUntil(toMs, signal);
  return busyShare(first, takeSample([]));
}

/** Returns at `atMs` (Unix time), at once when that is past. Throws the signal's reason. */
export async function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  while (Date.now() < atMs) {
    signal.throwIfAborted();
    await Bun.sleep(Math.min(200, atMs - Date.now()));
  }
}
