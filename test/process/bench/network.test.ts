// The whole of bench:network on this machine: a veth pair in the place of NIC and wire, real netperf, both roles.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import type { Results } from "../../bench/network/results.ts";
import {
  createFolder,
  createNode,
  smallBench,
  startBench,
  whyNoNetperf,
} from "../../support/bench-process.ts";
import { findNetperf } from "../../support/netperf-folder.ts";
import { waitFor } from "../../support/wait-for.ts";

const netperf = findNetperf();
afterAll(() => netperf[Symbol.dispose]());

test(
  "two variants are measured and compared, and the node is as it was",
  { timeout: 180_000 },
  async ({ skip }) => {
    skip(netperf.path === undefined, whyNoNetperf);
    using node = createNode();
    node.ip("link set lo up");
    const before = node.look();
    using folder = createFolder("virtfn-bench-");
    const out = folder.path;
    const variants = ["--variants", "host,veth-bridge", "--tests", "TCP_RR,UDP_RR"];
    const { said } = startBench(netperf, node, [...variants, ...smallBench, "--json", "--out", out]);
    const [stdout, stderr, exitCode] = await said;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const results = JSON.parse(stdout) as Results;
    expect(results.label).toBe("both ends on one machine, functional only");
    expect(results.left).toEqual([]);
    expect(results.measurements).toHaveLength(4);
    for (const { rate, packetsPerSecond, processes, latency, netRx } of results.measurements) {
      expect(processes).toBe(4);
      expect(rate).toBeGreaterThan(100);
      // A request and a response are a packet each, counted at the interface under test.
      expect(packetsPerSecond / rate).toBeGreaterThan(1.5);
      expect(packetsPerSecond / rate).toBeLessThan(3.5);
      expect(latency?.p99Us).toBeGreaterThan(0);
      expect(netRx.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
    }
    expect(readFileSync(join(out, "runs.jsonl"), "utf8").trim().split("\n")).toHaveLength(4);
    expect(readFileSync(join(out, "report.html"), "utf8")).toContain("veth-bridge");
    expect(node.look()).toBe(before);
  },
);

/** Packets by transaction; of STREAM by Mbit. */
async function measurePackets(name: string): Promise<{ readonly rate: number; readonly packets: number }> {
  using node = createNode();
  node.ip("link set lo up");
  using folder = createFolder("virtfn-bench-");
  const args = ["--variants", "host", "--tests", name, ...smallBench, "--json", "--out", folder.path];
  const [stdout, stderr, exitCode] = await startBench(netperf, node, args).said;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).toContain(name === "STREAM" ? " Mbit/s, " : " transactions/s, ");
  const { measurements, left } = JSON.parse(stdout) as Results;
  expect(left).toEqual([]);
  const [one, ...more] = measurements;
  expect({ test: one?.test, processes: one?.processes, more }).toEqual({
    test: name,
    processes: 4,
    more: [],
  });
  const rate = one?.rate ?? 0;
  return { rate, packets: (one?.packetsPerSecond ?? 0) / rate };
}

test.for([
  // A connection is opened and closed for each: TCP_RR has a packet each way, see above.
  ["TCP_CRR", 3.5],
  // A packet is 64 KiB at most, which is half a Mbit.
  ["STREAM", 1],
] as const)(
  "%s is measured, with more than %d packets a transaction or Mbit",
  async ([name, least], { skip }) => {
    skip(netperf.path === undefined, whyNoNetperf);
    const { rate, packets } = await measurePackets(name);
    expect(rate).toBeGreaterThan(0);
    expect(packets).toBeGreaterThan(least);
  },
);

test("messages at a fixed rate are answered at that rate, and counted in the window", async ({ skip }) => {
  skip(
    !netperf.hasSockperf,
    "sockperf is not installed, and no lab was prepared whose sockperf could be used",
  );
  using node = createNode();
  node.ip("link set lo up");
  using folder = createFolder("virtfn-bench-");
  const args = [
    "--variants",
    "host",
    "--tests",
    "UNDER_LOAD_200",
    ...smallBench,
    "--json",
    "--out",
    folder.path,
  ];
  const [stdout, stderr, exitCode] = await startBench(netperf, node, args).said;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { measurements, left } = JSON.parse(stdout) as Results;
  expect(left).toEqual([]);
  expect(measurements.map(({ processes }) => processes)).toEqual([2]);
  for (const { rate, packetsPerSecond, latency } of measurements) {
    // One that starts late on a loaded machine counts less, in both.
    expect(rate).toBeGreaterThan(40);
    expect(rate).toBeLessThan(500);
    expect(packetsPerSecond / rate).toBeGreaterThan(1.5);
    expect(packetsPerSecond / rate).toBeLessThan(3);
    expect(latency?.p99Us).toBeGreaterThan(0);
  }
});

test.for(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "a bench that is ended in the middle by %s puts everything back",
  async (signal, { skip }) => {
    skip(netperf.path === undefined, whyNoNetperf);
    using node = createNode();
    node.ip("link set lo up");
    const before = node.look();
    using folder = createFolder("virtfn-bench-");
    const { child, said } = startBench(netperf, node, [
      "--variants",
      "veth-bridge",
      ...smallBench,
      "--out",
      folder.path,
    ]);
    await waitFor("the bridge", () => node.look().includes("vbench-br"), 30_000);
    child.kill(signal);
    child.kill(signal);
    const [, stderr, exitCode] = await said;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 130 });
    expect(stderr).toContain(`interrupted by ${signal}`);
    expect(node.look()).toBe(before);
  },
);

test("a client's interface that the node uses is refused, and nothing is changed", async ({ skip }) => {
  skip(netperf.path === undefined, whyNoNetperf);
  using node = createNode();
  node.ip("link add nic type veth peer name wire");
  node.ip("address add 192.0.2.1/24 dev wire");
  const before = node.look();
  const args = ["--pf", "nic", "--peer", "wire", "--variants", "host", ...smallBench];
  const [, stderr, exitCode] = await startBench(netperf, node, args).said;
  expect([exitCode, stderr]).toEqual([
    1,
    "the bench does not run here:\n- wire is in use: it has the address 192.0.2.1\n",
  ]);
  expect(node.look()).toBe(before);
});

test("an interface that the node uses is refused, and nothing is changed", async ({ skip }) => {
  skip(netperf.path === undefined, whyNoNetperf);
  using node = createNode();
  node.ip("link add nic type veth peer name wire");
  node.ip("address add 192.0.2.1/24 dev nic");
  const before = node.look();
  const args = ["--pf", "nic", "--peer", "wire", "--variants", "host,sriov-untuned", ...smallBench];
  const [, stderr, exitCode] = await startBench(netperf, node, args).said;
  expect(exitCode).toBe(1);
  expect(stderr).toContain("- nic is in use: it has the address 192.0.2.1");
  expect(stderr).toContain(
    "- variants with SR-IOV need --pf with an interface that can have VFs; nic cannot",
  );
  expect(node.look()).toBe(before);
});
