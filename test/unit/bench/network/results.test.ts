// Tests test/bench/network/results.ts and table-text.ts.

import { expect, test } from "vitest";

import { formatCsv, formatJsonLines } from "../../../bench/network/table-text.ts";
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
