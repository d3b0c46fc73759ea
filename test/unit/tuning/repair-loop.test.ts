// The daemon's repair: at start, each minute, and never in the way of what goes wrong.

import * as fs from "node:fs";

import { pino } from "pino";
import { expect, test } from "vitest";

import { createMetrics } from "../../../tuning/metrics.ts";
import { keepRepaired, repairEveryMs } from "../../../tuning/repair-loop.ts";
import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

/** Runs the loop; `onPause[n]` is what happens in the n-th minute between two repairs, after the last of them it ends. */
async function runLoop(
  host: Host,
  onPause: readonly (() => void | Promise<void>)[],
): Promise<{ readonly lines: readonly string[]; readonly metrics: string }> {
  const stop = new AbortController();
  const lines: string[] = [];
  const log = pino(
    {},
    { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const metrics = createMetrics(host);
  let minute = 0;
  const clock: Host["clock"] = {
    ...host.clock,
    sleep: async (ms, signal) => {
      if (ms !== repairEveryMs) return await host.clock.sleep(ms, signal);
      await onPause[minute]?.();
      minute += 1;
      if (minute >= onPause.length) stop.abort();
    },
  };
  await keepRepaired({ ...host, clock }, { log, metrics, signal: stop.signal });
  return { lines, metrics: await metrics.registry.metrics() };
}

async function add(node: FakeHost): Promise<void> {
  const netns = node.addNetns("web-1");
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  const config = {
    cniVersion: "1.0.0",
    name: "blue",
    type: "virtfn",
    deviceID: "0000:3b:02.0",
    vlan: 5,
    ipam,
  };
  expect(await callCni(node.host, config, { netns })).toMatchObject({ exitCode: 0 });
}

const nothing = (): void => {};

test("what is there at start, and what comes later, goes home; not before its pod is gone, of which the kubelet never heard", async () => {
  using node = createFakeHost();
  const before = node.toText();
  let living = "";
  await add(node);
  node.removeNetns("web-1");
  const loop = await runLoop(node.host, [
    async () => {
      expect(node.toText()).toBe(before);
      await add(node);
      living = node.toText();
      fs.rmSync(node.host.paths.kubelet.checkpoint, { force: true });
      expect(node.host.files.stat(node.host.paths.kubelet.podResourcesSocket)).toBeUndefined();
    },
    () => {
      expect(node.toText()).toBe(living);
      node.removeNetns("web-1");
    },
    () => expect(node.toText()).toBe(before),
  ]);
  expect(loop.lines).toEqual(["release", "release"]);
  expect(loop.metrics).toContain('virtfn_tuning_repairs_total{result="release"} 2');
});

test("a failure is logged once while it stays, and the VF comes home when it is over", async () => {
  using node = createFakeHost();
  await add(node);
  node.removeNetns("web-1");
  let isBroken = true;
  const exec: Host["exec"] = {
    run: async (request) =>
      isBroken ? { exitCode: 1, stdout: "", stderr: "no disk" } : await node.host.exec.run(request),
  };
  const host = { ...node.host, exec };
  const { lines, metrics } = await runLoop(host, [nothing, () => void (isBroken = false), nothing]);
  expect(lines).toEqual(["cannot give a VF back", "release"]);
  expect(metrics).toContain('virtfn_tuning_repairs_total{result="failed"} 2');
});

test("a VF that the CNI is working on is left to it without a word", async () => {
  using node = createFakeHost();
  await add(node);
  node.removeNetns("web-1");
  const before = node.toText();
  using _lock = await node.host.locks.acquire("0000:3b:02.0");
  expect((await runLoop(node.host, [nothing, nothing])).lines).toEqual([]);
  expect(node.toText()).toBe(before);
});

test("records that cannot be listed end nothing", async () => {
  using node = createFakeHost();
  const files: Host["files"] = {
    ...node.host.files,
    list: (path) => {
      if (path === node.host.paths.attachments) throw new Error("no folder today");
      return node.host.files.list(path);
    },
  };
  expect((await runLoop({ ...node.host, files }, [nothing, nothing])).lines).toEqual([
    "a repair failed",
    "a repair failed",
  ]);
});

test("a VF whose name was another link's when it came home has it again in the first minute in which it is free", async () => {
  using node = createFakeHost();
  const before = node.toText();
  await add(node);
  using home = node.host.openNetlink();
  const other = home.getLink({ name: "eth0" })?.index ?? 0;
  home.addAltName(other, "ens1f0v0");
  node.removeNetns("web-1");
  const names: unknown[] = [];
  const note = (): void => void names.push(node.toText().match(/^ {2}(\S+) 0000:3b:02\.0 /m)?.[1]);
  const loop = await runLoop(node.host, [
    note,
    note,
    () => {
      note();
      home.removeAltName(other, "ens1f0v0");
    },
    note,
    note,
  ]);
  expect(names).toEqual(["vf03b10", "vf03b10", "vf03b10", "ens1f0v0", "ens1f0v0"]);
  expect(node.toText()).toBe(before);
  expect(loop.lines).toEqual(["release", "rename"]);
  expect(loop.metrics).toContain('virtfn_tuning_repairs_total{result="rename"} 1');
});

test("what a pod leaves behind goes home a minute after the look before, by the clock", async () => {
  using node = createFakeHost();
  await add(node);
  const stop = new AbortController();
  let elapsedMs = 0;
  const clock: Host["clock"] = {
    ...node.host.clock,
    sleep: async (ms) => {
      // The pod goes while the loop waits for the first time.
      if (elapsedMs === 0) node.removeNetns("web-1");
      elapsedMs += ms;
      if (elapsedMs > 120_000) stop.abort();
    },
  };
  const homeMs: number[] = [];
  const metrics = { recordRepair: () => void homeMs.push(elapsedMs) };
  const options = { log: pino({ level: "silent" }), metrics, signal: stop.signal };
  await keepRepaired({ ...node.host, clock }, options);
  expect(homeMs).toEqual([60_000]);
});
