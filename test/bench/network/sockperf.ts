// sockperf's command line for an open loop, and what it prints: how many messages were answered, and how long each took.

import type { ProcessOutput } from "./netperf.ts";

export const sockperfPort = 11_111;
/** From its start to its first message that counts: it looks at its clock, and warms up. Measured. */
export const sockperfStartMs = 2_500;

/** 64 bytes each way, every message answered, there and back counted. Source: sockperf --help, sockperf under-load --help. */
export function sockperfArguments(
  messagesPerSecond: number,
  { address, port, seconds }: { readonly address: string; readonly port: number; readonly seconds: number },
): readonly string[] {
  const rate = ["--mps", String(messagesPerSecond), "--reply-every", "1"];
  const run = ["-i", address, "-p", String(port), "-t", String(seconds), "-m", "64"];
  return ["under-load", ...run, ...rate, "--full-rtt"];
}

/** `endMs`: when it had written all (Unix time), since it tells only its length and its sum. Without an answer there is nothing. */
export function parseSockperf(text: string, endMs: number): ProcessOutput {
  const seconds = Number(/\[Total Run\] RunTime=([\d.]+) sec/.exec(text)?.[1]);
  const valid = /\[Valid Duration\] RunTime=([\d.]+) sec; SentMessages=\d+; ReceivedMessages=(\d+)/.exec(
    text,
  );
  const rate = Number(valid?.[2]) / Number(valid?.[1]);
  if (!Number.isFinite(seconds) || !Number.isFinite(rate)) return { interim: [], latency: undefined };
  const [meanUs, p50Us, p90Us, p99Us] = [
    /avg-rtt=([\d.]+)/,
    /percentile 50\.000 = *([\d.]+)/,
    /percentile 90\.000 = *([\d.]+)/,
    /percentile 99\.000 = *([\d.]+)/,
  ].map((form) => Number(form.exec(text)?.[1])) as [number, number, number, number];
  const latency = { meanUs, p50Us, p90Us, p99Us };
  return {
    interim: [{ endMs, seconds, rate }],
    latency: Object.values(latency).every(Number.isFinite) ? latency : undefined,
  };
}
