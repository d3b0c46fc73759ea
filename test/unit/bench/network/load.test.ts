// Tests test/bench/network/load.ts with a program in the place of netperf that tells when it was started.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { runLoad } from "../../../bench/network/load.ts";
import type { LoadOrder } from "../../../bench/network/message.ts";

let folder: string;
let prefix: readonly string[];

/** Each call adds a line to `calls`: when it was started (ms), and with which arguments. */
const netperf = (result: string): string => `#!/bin/sh
echo "$(date +%s%3N) $*" >>"$(dirname "$0")/calls"
${result}
`;
/** As if it had done 100 transactions in each second of the half second before it printed. */
const works = `printf 'NETPERF_INTERIM_RESULT[0]=100\\nNETPERF_INTERVAL[0]=60\\nNETPERF_ENDING[0]=%s\\n' "$(($(date +%s) + 60))"`;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "virtfn-load-"));
  prefix = ["env", `PATH=${folder}:${process.env["PATH"]}`];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function install(result: string): void {
  fs.writeFileSync(join(folder, "netperf"), netperf(result), { mode: 0o755 });
}

function orderIn(ms: number): LoadOrder {
  const startMs = Date.now() + ms;
  return {
    type: "load",
    test: "TCP_RR",
    targets: ["198.18.0.1", "198.18.0.2"],
    port: 12_865,
    processes: 3,
    startMs,
    fromMs: startMs + 500,
    toMs: startMs + 1_000,
  };
}

function listCalls(): readonly { readonly atMs: number; readonly target: string }[] {
  const path = join(folder, "calls");
  if (!fs.existsSync(path)) return [];
  const lines = fs.readFileSync(path, "utf8").trim().split("\n");
  return lines.map((line) => ({
    atMs: Number(line.split(" ", 1)[0]),
    target: /-H (\S+),4/.exec(line)?.[1] ?? "",
  }));
}

test("no process is started before the common start, then as many as told against each target", async () => {
  install(works);
  const order = orderIn(700);
  const { sum } = await runLoad(order, prefix, new AbortController().signal);
  const calls = listCalls();
  expect(Math.min(...calls.map(({ atMs }) => atMs))).toBeGreaterThanOrEqual(Math.floor(order.startMs));
  expect(calls.map(({ target }) => target).toSorted()).toEqual(
    order.targets.flatMap((target) => Array.from({ length: 3 }, () => target)),
  );
  expect(sum.processes).toBe(6);
  expect(sum.rate).toBeCloseTo(600, 6);
});

test("an end before the start starts none", async () => {
  install(works);
  const end = new AbortController();
  const load = runLoad(orderIn(60_000), prefix, end.signal);
  end.abort(new Error("interrupted by SIGINT"));
  await expect(load).rejects.toThrow("interrupted by SIGINT");
  expect(listCalls()).toEqual([]);
});

test("where none of them did anything the first one's words are the reason", async () => {
  install("echo 'establish control: are you sure there is a netserver?'");
  await expect(runLoad(orderIn(0), prefix, new AbortController().signal)).rejects.toThrow(
    "netperf did nothing: establish control: are you sure there is a netserver?",
  );
});
