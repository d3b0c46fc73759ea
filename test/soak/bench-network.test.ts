// `bench:network -- --mode lab` between two emulated nodes, the smallest run that has a kernel's interface and VFs with placed interrupts.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import type { Measurement } from "../bench/network/measurement.ts";
import type { Results } from "../bench/network/results.ts";

const root = resolve(import.meta.dirname, "../..");
const variants = ["veth-bridge", "sriov-numa-spread"];
const tests = ["TCP_RR", "UNDER_LOAD_100"];

test("two wired nodes measure a bridge and VFs, whose interrupts come where they were placed", async () => {
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
    const { label, left, measurements } = JSON.parse(stdout) as Results;
    expect({ label, left }).toEqual({ label: "emulated, functional only", left: [] });
    expect(measurements.map(({ variant, test: name }) => `${variant} ${name}`).toSorted()).toEqual(
      variants.flatMap((variant) => tests.map((name) => `${variant} ${name}`)).toSorted(),
    );
    for (const one of measurements) expectCounted(one);
    for (const one of measurements.filter(({ variant }) => variant === "sriov-numa-spread"))
      expectPlaced(one);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain(label);
  } finally {
    rmSync(out, { recursive: true });
  }
});

/** A request and a response are a packet each, counted by the node's device; both ends took CPU time. */
function expectCounted({
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
function expectPlaced({ irqMap, interrupts }: Measurement): void {
  const queues = irqMap.filter(({ name }) => /^vb0-[rt]x-0$/.test(name));
  expect(queues.map(({ before }) => before).toSorted()).toEqual(["0", "0", "1", "1"]);
  for (const { irq, before, after } of queues) {
    expect(after).toBe(before);
    expect(interrupts.filter((one) => one.irq === irq).map(({ cpu }) => String(cpu))).toEqual([before]);
  }
}
