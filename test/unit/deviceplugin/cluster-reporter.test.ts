// What the API server is told, and that nothing goes by whether it can be.

import { pino } from "pino";
import { expect, test } from "vitest";

import type { ClusterClient } from "../../../deviceplugin/cluster-client.ts";
import {
  type ClusterEvent,
  listEvents,
  listShortfalls,
  nothingTold,
} from "../../../deviceplugin/cluster-events.ts";
import { type Labels, planLabels } from "../../../deviceplugin/cluster-labels.ts";
import { ClusterReporter } from "../../../deviceplugin/cluster-reporter.ts";
import { ClusterError } from "../../../deviceplugin/errors.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import type { Host } from "../../../host/host.ts";
import { NetlinkError } from "../../../host/errors.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { defaultResources } from "../../../sriov/resource-config.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

class FakeCluster {
  labels: Record<string, string> = { "kubernetes.io/os": "linux", "virtfn/driver.gone": "true" };
  readonly events: ClusterEvent[] = [];
  reads = 0;
  isAway = false;
  /** What Events of this message are answered, and labels. */
  readonly refusals = new Map<string, number>();

  readonly client: ClusterClient = {
    readLabels: async () => {
      this.reads += 1;
      if (this.isAway) throw new NetlinkError("read node", "ECONNREFUSED");
      this.#refuse("labels");
      return this.labels;
    },
    patchLabels: async (changes) => {
      const merged = Object.entries({ ...this.labels, ...changes });
      this.labels = Object.fromEntries(merged.filter(([, value]) => value !== null)) as Record<
        string,
        string
      >;
    },
    createEvent: async (event) => {
      this.#refuse(event.message);
      this.events.push(event);
    },
  };

  #refuse(what: string): void {
    const status = this.refusals.get(what);
    if (status !== undefined) throw new ClusterError(`ask for ${what}`, `HTTP ${status}`, status);
  }
}

/** Time that passes when the test says so. */
class HandClock {
  #nowMs = 0;
  #sleepers: { readonly dueMs: number; readonly end: () => void }[] = [];

  readonly clock: Host["clock"] = {
    nowMs: () => this.#nowMs,
    monotonicMs: () => this.#nowMs,
    bootId: () => "",
    sleep: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        this.#sleepers.push({ dueMs: this.#nowMs + ms, end: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      }),
  };

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (; this.#nowMs < untilMs; this.#nowMs += 1_000) {
      for (const { end } of this.#sleepers.filter(({ dueMs }) => dueMs <= this.#nowMs)) end();
      this.#sleepers = this.#sleepers.filter(({ dueMs }) => dueMs > this.#nowMs);
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }
}

interface Running {
  readonly time: HandClock;
  readonly reporter: ClusterReporter;
  readonly cluster: FakeCluster;
  readonly warnings: string[];
  readonly end: () => Promise<void>;
}

function start(): Running {
  const cluster = new FakeCluster();
  const time = new HandClock();
  const warnings: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void warnings.push(line) });
  const reporter = new ClusterReporter(time, async () => cluster.client, log);
  const stop = new AbortController();
  const ended = reporter.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  return { time, reporter, cluster, warnings, end };
}

function scan(node: FakeHost): ReturnType<typeof scanDevices> {
  return scanDevices(node.host, defaultResources("sriov"), new Map());
}

test("labels of its own prefix are kept, and the API server is asked again only for news", async () => {
  using node = createFakeHost();
  const { time, reporter, cluster, end } = start();
  reporter.follow(scan(node));
  await time.pass(1_000);
  expect(cluster.labels).toEqual({
    "kubernetes.io/os": "linux",
    "virtfn/vfs": "4",
    "virtfn/driver.igb": "true",
  });
  const { reads } = cluster;
  for (let look = 0; look < 5; look += 1) {
    reporter.follow(scan(node));
    reporter.noteConfig(undefined);
    await time.pass(30_000);
  }
  expect(cluster.reads).toBe(reads);
  await end();
});

test("while it is away nothing fails, little is asked, and the news is told when it is back", async () => {
  using node = createFakeHost();
  const { time, reporter, cluster, warnings, end } = start();
  cluster.isAway = true;
  reporter.follow(scan(node));
  reporter.noteConfig("config.yaml:1:1: expected a list");
  await time.pass(600_000);
  expect(cluster.reads).toBeGreaterThan(3);
  expect(cluster.reads).toBeLessThan(12);
  expect(warnings).toHaveLength(1);
  cluster.isAway = false;
  await time.pass(300_000);
  expect(cluster.labels["virtfn/vfs"]).toBe("4");
  expect(cluster.events.map(({ reason }) => reason)).toEqual(["ConfigurationRefused"]);
  await end();
});

test.each([404, 422])("an Event that is refused for good (%d) keeps none back", async (status) => {
  const { time, reporter, cluster, warnings, end } = start();
  cluster.refusals.set("first", status);
  for (const problem of ["first", "second"]) reporter.noteConfig(problem);
  await time.pass(1_000);
  expect(cluster.events.map(({ message }) => message)).toEqual(["second"]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/"status":\d+.*"message":"first".*refuses an Event, which is dropped/);
  reporter.noteConfig("third");
  await time.pass(1_000);
  expect(cluster.events.at(-1)?.message).toBe("third");
  await end();
});

test("an Event that may not be told (403) is dropped alone: those behind it are tried, with a distance, and told once they may be", async () => {
  const { time, reporter, cluster, warnings, end } = start();
  const problems = Array.from({ length: 40 }, (_, at) => `problem ${at}`);
  for (const problem of problems) cluster.refusals.set(problem, 403);
  for (const problem of problems) reporter.noteConfig(problem);
  await time.pass(600_000);
  expect(cluster.events).toEqual([]);
  const dropped = warnings.filter((line) => line.includes("refuses an Event, which is dropped")).length;
  expect(dropped).toBeGreaterThan(3);
  expect(dropped).toBeLessThan(12);
  expect(warnings).toHaveLength(dropped);
  cluster.refusals.clear();
  await time.pass(300_000);
  expect(cluster.events.map(({ message }) => message)).toEqual(problems.slice(dropped));
  reporter.noteConfig("later");
  await time.pass(1_000);
  expect(cluster.events.at(-1)?.message).toBe("later");
  await end();
});

test("after an Event that may not be told nothing is asked until there is news", async () => {
  using node = createFakeHost();
  const { time, reporter, cluster, end } = start();
  cluster.refusals.set("first", 403);
  reporter.follow(scan(node));
  reporter.noteConfig("first");
  await time.pass(10_000);
  const { reads } = cluster;
  await time.pass(500_000);
  expect(cluster.reads).toBe(reads);
  await end();
});

test.each([401, 409, 429, 500, 503])(
  "one that may pass later (%d) waits, and those behind it",
  async (status) => {
    const { time, reporter, cluster, end } = start();
    cluster.refusals.set("first", status);
    for (const problem of ["first", "second"]) reporter.noteConfig(problem);
    await time.pass(60_000);
    expect(cluster.events).toEqual([]);
    cluster.refusals.clear();
    await time.pass(300_000);
    expect(cluster.events.map(({ message }) => message)).toEqual(["first", "second"]);
    await end();
  },
);

test("labels that are refused for good keep no Event back, and are told of once", async () => {
  using node = createFakeHost();
  const { time, reporter, cluster, warnings, end } = start();
  cluster.refusals.set("labels", 403);
  reporter.follow(scan(node));
  for (const problem of ["first", "second"]) {
    reporter.noteConfig(problem);
    await time.pass(1_000);
  }
  expect(cluster.events.map(({ message }) => message)).toEqual(["first", "second"]);
  expect(warnings).toHaveLength(1);
  cluster.refusals.clear();
  await time.pass(601_000);
  expect(cluster.labels["virtfn/vfs"]).toBe("4");
  await end();
});

test("of very many Events the newest are told", async () => {
  const { time, reporter, cluster, end } = start();
  for (let at = 0; at < 200; at += 1) reporter.noteConfig(`problem ${at}`);
  await time.pass(1_000);
  expect(cluster.events).toHaveLength(50);
  expect(cluster.events.at(-1)?.message).toBe("problem 199");
  await end();
});

function tell(...told: Parameters<typeof listEvents>): readonly string[] {
  return listEvents(...told).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}

test("an Event for each kind of difference, one for all VFs of a PF", () => {
  const ids = [0, 1, 2].map((vf) => parsePciAddress(`0000:3b:02.${vf}`));
  const link = "the PF ens1f0 has no link";
  const bad = { ...nothingTold, unhealthy: new Map(ids.map((id) => [id, link])) };
  const unrecorded = ids.slice(0, 1).map((address) => ({
    namespace: "shop",
    pod: "web-1",
    resource: "sriov/vf",
    address,
  }));
  expect(tell(nothingTold, bad)).toEqual([
    "Warning DevicesUnhealthy the PF ens1f0 has no link: 0000:3b:02.0, 0000:3b:02.1, 0000:3b:02.2",
  ]);
  expect(tell(bad, bad)).toEqual([]);
  expect(tell(bad, { ...nothingTold, configProblem: "expected a list", unrecorded })).toEqual([
    "Normal DevicesHealthy healthy again or gone: 0000:3b:02.0, 0000:3b:02.1, 0000:3b:02.2",
    "Warning ConfigurationRefused expected a list",
    "Warning VfNotAttached pod shop/web-1 has 0000:3b:02.0 of sriov/vf by the kubelet, and nothing attached it",
  ]);
  expect(tell({ ...nothingTold, configProblem: "expected a list" }, nothingTold)).toEqual([
    "Normal ConfigurationInForce the resource configuration is in force as it stands",
  ]);
});

test("an Event for what tuning does instead of what it was asked for, once", () => {
  const fallback = { vf: "0000:3b:02.0", about: "policy", code: "FALLBACK", message: "using numa-spread" };
  const locked = { ...fallback, about: "vector 0", code: "ENOSPC" };
  const short = { ...nothingTold, tuning: listShortfalls([fallback, locked]) };
  expect(tell(nothingTold, short)).toEqual([
    "Warning TuningFellShort 0000:3b:02.0 policy: using numa-spread",
  ]);
  expect(tell(short, short)).toEqual([]);
  expect(tell(short, nothingTold)).toEqual([]);
});

test("labels of others are nobody's to remove", () => {
  const now: Labels = { "kubernetes.io/os": "linux", "virtfn/vfs": "4", "virtfn/driver.igb": "true" };
  expect(planLabels(now, { "virtfn/vfs": "4", "virtfn/driver.igb": "true" })).toEqual({});
  expect(planLabels(now, { "virtfn/vfs": "3" })).toEqual({ "virtfn/driver.igb": null, "virtfn/vfs": "3" });
});
