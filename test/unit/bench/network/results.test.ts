// Tests test/bench/network/results.ts and table-text.ts.

import { expect, test } from "vitest";

import { formatCsv, formatJsonLines } from "../../../bench/network/table-text.ts";
import { toResults } from "../../../bench/network/results.ts";
import { makeBenchResults } from "../../../support/bench-results.ts";

test("every variant is compared with the baseline, by every metric of every test", () => {
  const { comparisons, label } = makeBenchResults();
  expect(label).toBe("measured on hardware");
  expect(comparisons).toHaveLength(2 * 5 * 4);
  const found = comparisons.find(
    ({ test, metric, variant }) => test === "TCP_RR" && metric === "rate" && variant === "sriov-numa-spread",
  );
  expect(found?.claim?.text).toMatch(/^\+1\d\.\d % \(\+1\d\.\d to \+1\d\.\d\)$/);
  expect(comparisons.find(({ variant }) => variant === "veth-bridge")?.ratio).toBeUndefined();
});

test("interrupts that moved, and a policy that fell back, stand against what is said of their variant", () => {
  const results = makeBenchResults();
  const { label } = results;
  const irqMap = [{ irq: 24, name: "vb0-TxRx-0", before: "0", after: "3" }];
  const measurements = results.measurements.map((one) =>
    one.round === 2 && one.variant === "sriov-untuned" ? { ...one, irqMap } : one,
  );
  const fellBack = [{ round: 11, variant: "sriov-numa-spread" }] as const;
  const { comparisons } = toResults(
    { ...results.options, isJson: true, out: "" },
    { ...results, measurements, fellBack },
    { label, startedAt: new Date(0) },
  );
  const reasonsOf = (wanted: string) =>
    comparisons.find(({ metric, variant }) => metric === "rate" && variant === wanted)?.claim?.reasons;
  expect(reasonsOf("sriov-untuned")).toContain("interrupts moved in 1 of the runs");
  expect(reasonsOf("sriov-numa-spread")).toEqual(["the policy of sriov-numa-spread fell back in round 11"]);
  expect(reasonsOf("host")).toEqual([]);
});

test("of irqbalance it does not count that interrupts moved", () => {
  const irqMap = [{ irq: 24, name: "vb0-TxRx-0", before: "0", after: "3" }];
  const variants = ["--role", "server", "--pf", "e", "--variants", "veth-bridge,sriov-irqbalance"];
  const results = makeBenchResults(variants);
  const measurements = results.measurements.map((one) =>
    one.variant === "sriov-irqbalance" ? { ...one, irqMap } : one,
  );
  const { comparisons } = toResults(
    { ...results.options, isJson: true, out: "" },
    { ...results, measurements },
    { label: results.label, startedAt: new Date(0) },
  );
  const reasons = comparisons.flatMap(({ claim }) => claim?.reasons ?? []);
  expect(reasons.filter((reason) => reason.includes("moved"))).toEqual([]);
});

test("nothing may be said of a bench in emulation", () => {
  const { comparisons, label } = makeBenchResults(["--mode", "lab", "--rounds", "10"]);
  expect(label).toBe("emulated, functional only");
  expect(comparisons.filter(({ claim }) => claim?.text !== undefined)).toEqual([]);
});

function rowsOf(argv: readonly string[]): readonly string[] {
  return formatCsv(makeBenchResults([...argv, "--rounds", "1", "--variants", "host"])).split("\n");
}

test("a row says which program made the load, and whether it came from another machine", () => {
  const server = ["--role", "server", "--pf", "e", "--tests", "TCP_RR,UNDER_LOAD_500"];
  const [, netperf, sockperf] = rowsOf(server);
  expect(netperf).toMatch(/^netperf,TCP_RR,false,true,false,true,/);
  expect(sockperf).toMatch(/^sockperf,UNDER_LOAD_500,false,.*,messages\/s,/);
  expect(rowsOf([])[1]).toMatch(/^netperf,TCP_RR,true,true,false,false,/);
  expect(rowsOf(["--mode", "lab"])[1]).toMatch(/^netperf,TCP_RR,false,true,false,true,/);
});

test("the label is in every line and row", () => {
  const results = makeBenchResults(["--mode", "lab"]);
  const lines = formatJsonLines(results.label, results.measurements).trimEnd().split("\n");
  expect(lines).toHaveLength(16);
  expect(new Set(lines.map((line) => (JSON.parse(line) as { label: string }).label))).toEqual(
    new Set(["emulated, functional only"]),
  );
  const [head, ...rows] = formatCsv(results).trimEnd().split("\n");
  expect(head?.split(",").slice(0, 3)).toEqual(["Driver", "Profile", "Same node"]);
  expect(rows).toHaveLength(16);
  expect(rows.every((row) => row.endsWith('"emulated, functional only"'))).toBe(true);
});
