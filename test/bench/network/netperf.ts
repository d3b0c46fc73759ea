// netperf's command line, and what it prints: interim results with the time each ended, then the sums of the whole run.

import type { NetperfTest } from "./test-name.ts";

/** A stretch of one process's run: `rate` (transactions, or Mbit, per second) over the `seconds` before `endMs` (Unix time). */
export interface Interim {
  readonly endMs: number;
  readonly seconds: number;
  readonly rate: number;
}

/** Microseconds over the whole run of a process. Histogram buckets of netperf: steps of about 1 to 10 %. */
export interface Latency {
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

/** What one process of the load did. */
export interface ProcessOutput {
  readonly interim: readonly Interim[];
  /** `undefined` where the process did not come to its end. */
  readonly latency: Latency | undefined;
}

/** 64 bytes each way, as the article has it; interim results each half second, latencies at the end. Source: netperf manual, "omni". */
export function netperfArguments(
  test: NetperfTest,
  { address, port, seconds }: { readonly address: string; readonly port: number; readonly seconds: number },
): readonly string[] {
  const name = test === "STREAM" ? "TCP_STREAM" : test;
  const sizes = test === "STREAM" ? ["-m", "16384"] : ["-r", "64,64"];
  const keys = ["THROUGHPUT", "MEAN_LATENCY", "P50_LATENCY", "P90_LATENCY", "P99_LATENCY"];
  const run = ["-H", `${address},4`, "-p", String(port), "-t", name, "-l", String(seconds)];
  return [...run, "-D", "0.5", "-j", "-P", "0", "--", ...sizes, "-k", keys.join(",")];
}

const keyValue = /^([A-Z0-9_]+)(?:\[(\d+)\])?=(.*)$/gm;

/** Takes what is there: a killed process has no latencies, one that could not connect has nothing. */
export function parseNetperf(text: string): ProcessOutput {
  const values = new Map<string, number>();
  for (const [, key = "", at, value] of text.matchAll(keyValue))
    values.set(at === undefined ? key : `${key}[${at}]`, Number(value));
  const interim: Interim[] = [];
  for (let at = 0; values.has(`NETPERF_INTERIM_RESULT[${at}]`); at += 1) {
    const endSeconds = values.get(`NETPERF_ENDING[${at}]`);
    const seconds = values.get(`NETPERF_INTERVAL[${at}]`);
    const rate = values.get(`NETPERF_INTERIM_RESULT[${at}]`);
    if (isNumber(endSeconds) && isNumber(seconds) && isNumber(rate))
      interim.push({ endMs: endSeconds * 1000, seconds, rate });
  }
  return { interim, latency: parseLatency(values) };
}

function parseLatency(values: ReadonlyMap<string, number>): Latency | undefined {
  const [meanUs, p50Us, p90Us, p99Us] = ["MEAN", "P50", "P90", "P99"].map((key) =>
    values.get(`${key}_LATENCY`),
  );
  if (!isNumber(meanUs) || !isNumber(p50Us) || !isNumber(p90Us) || !isNumber(p99Us)) return undefined;
  return { meanUs, p50Us, p90Us, p99Us };
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
