// runs.jsonl and runs.csv: every measurement as it came.

import type { Label } from "./label.ts";
import type { Measurement } from "./measurement.ts";
import type { Results } from "./results.ts";
import { isFixedRate, unitOf } from "./test-name.ts";

/** One JSON object a line, each with the label. */
export function formatJsonLines(label: Label, measurements: readonly Measurement[]): string {
  return measurements.map((measurement) => `${JSON.stringify({ label, ...measurement })}\n`).join("");
}

/** A row a measurement; the columns that k8s-netperf has too have its names and come first. */
export function formatCsv({ label, options, measurements }: Results): string {
  const { seconds, mode, role } = options;
  const isSameNode = mode === "host" && role === "both";
  const rows = measurements.map((one) => ({
    Driver: isFixedRate(one.test) ? "sockperf" : "netperf",
    Profile: one.test === "STREAM" ? "TCP_STREAM" : one.test,
    "Same node": isSameNode,
    "Host Network": one.variant === "host",
    Service: false,
    "External Server": !isSameNode,
    Duration: seconds,
    Parallelism: one.processes,
    "# of Samples": 1,
    "Message Size": one.test === "STREAM" ? 16_384 : 64,
    "Avg Throughput": one.rate,
    "Throughput Metric": unitOf(one.test),
    "99%tile Observed Latency": one.latency?.p99Us,
    "Latency Metric": "usec",
    Variant: one.variant,
    Round: one.round,
    "Packets per second": one.packetsPerSecond,
    "CPU seconds per million": one.cpuSecondsPerMillion,
    "Node busy": one.busy,
    "Client busy": one.clientBusy,
    "Softirq imbalance": one.imbalance,
    "Late processes": one.late,
    "Stalled processes": one.stalled,
    Label: label,
  }));
  const [first] = rows;
  if (first === undefined) return "";
  const lines = [Object.keys(first), ...rows.map((row) => Object.values(row))];
  return lines.map((cells) => `${cells.map(quote).join(",")}\n`).join("");
}

// RFC 4180.
function quote(cell: string | number | boolean | undefined): string {
  const text = String(cell ?? "");
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
