// The daemon's loop: what wakes it, how often it looks again, and what it logs.

import * as fs from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { UeventNotice, Uevents } from "../../../host/uevent.ts";
import { readContestedPins } from "../../../sriov/contested-pins.ts";
import { readTuningProblems } from "../../../sriov/tuning-problems.ts";
import { pollMs, retryDelaysMs } from "../../../tuning/reconciler.ts";
import { startIrqBalance } from "../../support/fake-irqbalance.ts";
import { noUevents, startLoop } from "../../support/tuning-loop.ts";
import { createTuningNode } from "../../support/tuning-node.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

describe("reconcile", () => {
  test("an irqbalance that has just started and does not listen yet is asked again soon", async () => {
    using node = createTuningNode(1);
    const irqbalance = startIrqBalance(node.fake, { pid: 77, isDeaf: true });
    node.attach(0, "web-1");
    const loop = startLoop(node);
    await waitFor("the first try", () => loop.passes() > 0);
    irqbalance.listen();
    await waitFor("the bans", () => irqbalance.bans.length > 0);
    expect(irqbalance.bans).toEqual(node.irqs(0).slice(0, 2));
    expect(loop.sleepsMs[0]).toBe(retryDelaysMs[0]);
    await loop.end();
  });

  test("writes down what it can't do, as long as that is so", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "follow-pod" } }));
    const loop = startLoop(node);
    await waitFor("a problem", () => readTuningProblems(node.host).length > 0);
    expect(readTuningProblems(node.host)).toMatchObject([{ about: "policy", code: "FALLBACK" }]);
    node.detach(0, "web-1");
    await waitFor("no problem", () => readTuningProblems(node.host).length === 0);
    await loop.end();
    expect(await loop.metrics.registry.metrics()).toContain(
      'virtfn_tuning_problems_total{code="FALLBACK"} 1',
    );
  });

  test("tunes a VF when its record appears, and puts it back when the record goes", async () => {
    using node = createTuningNode(1);
    const loop = startLoop(node);
    await waitFor("the first pass", () => loop.passes() === 1);
    node.attach(0, "web-1");
    await waitFor("the pins", () => node.affinities(0) === "0 1 0-3");
    node.detach(0, "web-1");
    await waitFor("the old affinities", () => node.affinities(0) === "0-3 0-3 0-3");
    await loop.end();
    expect(loop.lines.map(({ msg }) => msg)).toEqual(["tuned", "restored"]);
  });

  test("with a node.yaml that is wrong from the start puts back what pods left, and nothing else", async () => {
    using node = createTuningNode(3);
    node.attach(0, "web-1");
    node.attach(1, "web-2");
    const first = startLoop(node);
    await waitFor("the pins", () => node.affinities(1) === "2 3 0-3");
    await first.end();
    node.host.files.writeAtomic(node.host.paths.nodeConfig, "tuning: [");
    node.detach(0, "web-1");
    const loop = startLoop(node);
    await waitFor("what was before", () => node.affinities(0) === "0-3 0-3 0-3");
    node.attach(2, "web-3");
    node.setAffinity(1, 0, "0");
    node.detach(1, "web-2");
    await waitFor("what was before of the other", () => node.affinities(1) === "0-3 0-3 0-3");
    expect(node.affinities(2)).toBe("0-3 0-3 0-3");
    await loop.end();
    const told = new Set(loop.lines.map(({ msg }) => msg));
    expect(told).toEqual(new Set(["a pass failed", "restored"]));
    expect(await loop.metrics.registry.metrics()).toContain("virtfn_tuning_restores_total 2");
  });

  test("looks again with growing distance while handlers are missing, then leaves it to the poll", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    for (const irq of node.irqs(0)) fs.rmSync(join(node.fake.root, `proc/irq/${irq}`), { recursive: true });
    const loop = startLoop(node);
    await waitFor("the poll", () => loop.sleepsMs.includes(pollMs));
    expect(loop.sleepsMs).toEqual([...retryDelaysMs, pollMs]);
    await loop.end();
  });

  test("pins a VF at once whose interface goes up late, when it has looked in vain for long", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    using netns = node.host.namespaces.open("/run/netns/web-1");
    using inside = node.host.openNetlink(netns);
    const { index } = inside.getLink({ name: "net1" }) ?? { index: 0 };
    const setUp = (value: boolean): void => inside.setLink(index, { set: "up", value });
    setUp(false);
    for (const irq of node.irqs(0)) fs.rmSync(join(node.fake.root, `proc/irq/${irq}`), { recursive: true });
    const loop = startLoop(node);
    await waitFor("the poll", () => loop.sleepsMs.includes(pollMs));
    node.open(0, "net1");
    setUp(true);
    await waitFor("the pins", () => node.affinities(0) === "0 1 0-3", beforeNextLookMs);
    await loop.end();
    expect(loop.lines.map(({ msg }) => msg)).toEqual(["tuned"]);
  });

  test("wakes up when hardware appears on the host, and not for the veth of a pod", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    for (const irq of node.irqs(0)) fs.rmSync(join(node.fake.root, `proc/irq/${irq}`), { recursive: true });
    const loop = startLoop(node);
    await waitFor("the poll", () => loop.sleepsMs.includes(pollMs));
    const passes = loop.passes();
    using netlink = node.host.openNetlink();
    const change = (name: string): void => {
      const link = netlink.getLink({ name });
      if (link !== undefined) netlink.setLink(link.index, { set: "up", value: !link.isUp });
    };
    change("eth0");
    // A wake-up would have led to a pass by then: 20 turns of the event loop.
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(loop.passes()).toBe(passes);
    change("ens1f0");
    await waitFor("a pass", () => loop.passes() > passes);
    await loop.end();
  });

  test("plans anew when a CPU goes, at once, and puts a pin back that somebody moved", async () => {
    using node = createTuningNode(1);
    let tell: ((notice: UeventNotice) => void) | undefined;
    const subscribe: Uevents["subscribe"] = (onNotice) => {
      tell = onNotice;
      return noUevents.subscribe(onNotice);
    };
    node.attach(0, "web-1");
    const loop = startLoop(node, { uevents: { subscribe } });
    await waitFor("the pins", () => node.affinities(0) === "0 1 0-3");
    node.setOnline("0,2-7");
    tell?.({
      event: "uevent",
      uevent: { action: "offline", devicePath: "/devices/system/cpu/cpu1", subsystem: "cpu" },
    });
    await waitFor("the pins of then", () => node.affinities(0) === "0 2 0-3");
    node.setAffinity(0, 0, "3");
    await waitFor("the pin", () => node.affinities(0) === "0 2 0-3");
    await waitFor("the log", () => loop.lines.length === 4);
    await loop.end();
    expect(loop.lines.map(({ msg }) => msg)).toEqual(["tuned", "tuned", "found pins undone", "tuned"]);
    expect(await loop.metrics.registry.metrics()).toContain(
      'virtfn_tuning_drift_total{pf="ens1f0",vf="0",resource="",namespace="shop",pod="web-1"} 1',
    );
  });

  test("stops fighting over a pin, and tells it in log, metrics and on disk", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    const loop = startLoop(node);
    const wasUndone = (): number => loop.lines.filter(({ msg }) => msg === "found pins undone").length;
    for (let times = 0; times < 4; times += 1) {
      await waitFor("the pins", () => node.affinities(0) === "0 1 0-3" && wasUndone() === times);
      node.setAffinity(0, 1, "3");
      await waitFor("a pass", () => wasUndone() > times);
    }
    await waitFor("the file", () => readContestedPins(node.host).length > 0);
    await loop.end();
    expect(node.affinities(0)).toBe("0 3 0-3");
    expect(loop.lines.at(-1)?.msg).toBe("a pin is contested, leaving it alone");
    expect(readContestedPins(node.host)).toMatchObject([{ vf: node.address(0), msiIndex: 1, undone: 4 }]);
    expect(await loop.metrics.registry.metrics()).toContain('virtfn_tuning_contested_irqs{by="unknown"} 1');
  });

  test("logs and counts a problem once while it stays, and tells when it is gone", async () => {
    using node = createTuningNode(2);
    const path = join(node.host.paths.attachments, `${node.address(1)}.json`);
    fs.mkdirSync(node.host.paths.attachments, { recursive: true });
    fs.writeFileSync(path, "");
    const loop = startLoop(node);
    await waitFor("the first pass", () => loop.passes() === 1);
    node.attach(0, "web-1");
    await waitFor("the pins", () => node.affinities(0) === "0 1 0-3");
    fs.rmSync(path);
    await waitFor("the end of the problem", () => loop.lines.some(({ msg }) => msg === "problem is gone"));
    await loop.end();
    expect(loop.lines.map(({ msg, code }) => [msg, code])).toEqual([
      ["problem", "ERR_RECORD_CORRUPT"],
      ["tuned", undefined],
      ["problem is gone", "ERR_RECORD_CORRUPT"],
    ]);
    expect(await loop.metrics.registry.metrics()).toContain(
      'virtfn_tuning_problems_total{code="ERR_RECORD_CORRUPT"} 1',
    );
  });

  test("announces pending addresses when the carrier comes, and counts it", async () => {
    using node = createTuningNode(1);
    const applied = { addresses: ["192.0.2.50/24"], routes: [] };
    node.attach(0, "web-1", (record) => ({ ...record, announce: "pending", applied }));
    const loop = startLoop(node);
    await waitFor("the poll", () => loop.sleepsMs.includes(pollMs));
    using netns = node.host.namespaces.open("/run/netns/web-1");
    using inside = node.host.openNetlink(netns);
    inside.setLink(inside.getLink({ name: "net1" })?.index ?? 0, { set: "up", value: true });
    await waitFor("the frame", () => node.fake.kernel.frames.length === 1);
    await waitFor("the log", () => loop.lines.some(({ msg }) => msg === "announced the addresses"));
    await loop.end();
    expect(await loop.metrics.registry.metrics()).toContain("virtfn_tuning_announcements_total 1");
  });

  test("keeps no pod's namespace from dying while passes fail: its VF could not come home", async () => {
    using node = createTuningNode(1);
    const applied = { addresses: ["192.0.2.50/24"], routes: [] };
    node.attach(0, "web-1", (record) => ({ ...record, announce: "pending", applied }));
    const { listeners } = node.fake.kernel.mounted.get("/run/netns/web-1") ?? {};
    let isBroken = false;
    const { files, paths } = node.host;
    const list: typeof files.list = (path) => {
      if (isBroken && path === paths.attachments) throw new SystemCallError("readdir", path, "EIO");
      return files.list(path);
    };
    const loop = startLoop(node, { files: { ...files, list } });
    await waitFor("the watch", () => listeners?.size === 1);
    isBroken = true;
    node.fake.removeNetns("web-1", 100);
    files.writeAtomic(paths.nodeConfig, "tuning: { policy: numa-spread }\n");
    await waitFor("the failure", () => loop.lines.some(({ msg }) => msg === "a pass failed"));
    await waitFor("the end of the watch", () => listeners?.size !== 1);
    expect(listeners?.size).toBe(0);
    await loop.end();
  });
});
