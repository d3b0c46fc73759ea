// `bench:network -- --mode lab` as a process, and what holds of each measurement of it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "vitest";

import type { Measurement } from "../../bench/network/measurement.ts";
import type { Results } from "../../bench/network/results.ts";
import { type Variant, whyNever } from "../../bench/network/variant.ts";

const root = resolve(import.meta.dirname, "../../..");

/**
 * Runs the smallest bench of these variants and tests, one round; fails unless each that there can be was measured, each other one is
 * told with its reason, and the node was left as it was.
 */
export async function runLabBench(
  variants: readonly Variant[],
  tests: readonly string[],
): Promise<readonly Measurement[]> {
  const out = mkdtempSync(join(tmpdir(), "virtfn-bench-lab-"));
  try {
    const what = ["--variants", variants.join(","), "--tests", tests.join(","), "--rounds", "1"];
    const size = ["--namespaces", "2", "--processes", "2", "--seconds", "3", "--json", "--out", out];
    const entry = join(root, "test/bench/network/main.ts");
    const child = Bun.spawn([process.execPath, entry, "--mode", "lab", ...what, ...size], {
      cwd: root,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    const [stdout, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
    expect(exitCode).toBe(0);
    const { label, left, fellBack, measurements } = JSON.parse(stdout) as Results;
    const possible = variants.filter((variant) => whyNever(variant) === undefined);
    expect({ label, left, fellBack }).toEqual({
      label: "emulated, functional only",
      left: variants.flatMap((variant) => whyNever(variant)?.replace(/^/, `${variant}: `) ?? []),
      fellBack: [],
    });
    expect(measurements.map(({ variant, test: name }) => `${variant} ${name}`).toSorted()).toEqual(
      possible.flatMap((variant) => tests.map((name) => `${variant} ${name}`)).toSorted(),
    );
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain(label);
    return measurements;
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** A request and a response are a packet each, counted by the node's device; both ends took CPU time. */
export function expectCounted({
  rate,
  packetsPerSecond,
  cpuSecondsPerMillion,
  clientBusy,
  netRx,
}: Measurement): void {
  expect(rate).toBeGreaterThan(10);
  expect(packetsPerSecond / rate).toBeGreaterThan(1.5);
  expect(packetsPerSecond / rate).toBeLessThan(3.5);
  expect(cpuSecondsPerMillion).toBeGreaterThan(0);
  expect(clientBusy).toBeGreaterThan(0);
  expect(netRx.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(rate);
}

/** Two queue interrupts of each of the two VFs, on one CPU each, as many on one CPU as on the other; they stayed, and came there. */
export function expectPlaced({ irqMap, interrupts }: Measurement): void {
  const queues = irqMap.filter(({ name }) => /^vb0-[rt]x-0$/.test(name));
  expect(queues.map(({ before }) => before).toSorted()).toEqual(["0", "0", "1", "1"]);
  for (const { irq, before, after } of queues) {
    expect(after).toBe(before);
    expect(interrupts.filter((one) => one.irq === irq).map(({ cpu }) => String(cpu))).toEqual([before]);
  }
}
