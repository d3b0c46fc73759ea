// What irqbalance is told as VFs come and go, and what is left of it.

import * as fs from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { IrqBalanceFinder } from "../../../../tuning/irqbalance/finder.ts";
import {
  hasIrqBalanceChanges,
  keepIrqBalanceOff,
  leaveIrqBalance,
} from "../../../../tuning/irqbalance/keep-off.ts";
import { readTold, writeTold } from "../../../../tuning/irqbalance/told-record.ts";
import { createPassMemory } from "../../../../tuning/pass-memory.ts";
import type { PassReport } from "../../../../tuning/pass.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";
import { withFault } from "../../../support/faults.ts";
import { writeFolder } from "../../../support/fixture-folder.ts";
import { createTuningNode, type TuningNode } from "../../../support/tuning-node.ts";
import { passOnce } from "../../../support/tuning-pass.ts";

/** IRQs of tx and rx: those that are pinned. */
function queues(node: TuningNode, ...vfs: readonly number[]): readonly number[] {
  return vfs.flatMap((vf) => node.irqs(vf).slice(0, 2));
}

function problems({ problems: all }: PassReport): readonly string[] {
  return all.filter(({ about }) => about === "irqbalance").map(({ message }) => message);
}

async function passWith(node: TuningNode, configure: boolean): Promise<PassReport> {
  const config = configure ? { tuning: { irqbalance: { configure } } } : {};
  node.host.files.writeAtomic(node.host.paths.nodeConfig, JSON.stringify(config));
  return passOnce(node.host);
}

describe("over its socket", () => {
  test("pins are banned beside the administrator's bans, and leave the list when they end", async () => {
    using node = createTuningNode(2);
    const irqbalance = startIrqBalance(node.fake, {
      pid: 77,
      args: ["--foreground"],
      bans: [9, queues(node, 1)[1] ?? 0],
    });
    const memory = createPassMemory(node.host);
    await passOnce(node.host, memory);
    expect(irqbalance.looks).toBe(0);
    node.attach(0, "web-1");
    const { irqBalance } = await passOnce(node.host, memory);
    expect(irqBalance).toEqual({ pid: 77, irqs: queues(node, 0) });
    expect(irqbalance.bans).toEqual([9, ...queues(node, 0), queues(node, 1)[1]]);
    node.attach(1, "web-2");
    await passOnce(node.host, memory);
    node.detach(0, "web-1");
    await passOnce(node.host, memory);
    expect(irqbalance.bans).toEqual([9, ...queues(node, 1)]);
    node.detach(1, "web-2");
    await passOnce(node.host, memory);
    expect(irqbalance.bans).toEqual([9, queues(node, 1)[1]]);
    expect(hasIrqBalanceChanges(node.host)).toBe(false);
  });

  test("one that knows is told nothing again, also by a daemon that starts", async () => {
    using node = createTuningNode(1);
    const irqbalance = startIrqBalance(node.fake, { pid: 77 });
    node.attach(0, "web-1");
    for (let pass = 0; pass < 3; pass += 1) await passOnce(node.host);
    expect(irqbalance.looks).toBe(1);
  });

  test("one that started anew is told again, and one whose list was replaced too", async () => {
    using node = createTuningNode(1);
    const memory = createPassMemory(node.host);
    const first = startIrqBalance(node.fake, { pid: 77 });
    node.attach(0, "web-1");
    await passOnce(node.host, memory);
    expect(memory.irqBalance.finder.hasChanged()).toBe(false);
    first.end();
    expect(memory.irqBalance.finder.hasChanged()).toBe(true);
    await passOnce(node.host, memory);
    expect(memory.irqBalance.finder.hasChanged()).toBe(false);
    const second = startIrqBalance(node.fake, { pid: 78, bans: [9] });
    expect(memory.irqBalance.finder.hasChanged()).toBe(true);
    await passOnce(node.host, memory);
    expect(second.bans).toEqual([9, ...queues(node, 0)]);
    second.bans = [10];
    await passOnce(node.host, memory);
    expect(second.bans).toEqual([10, ...queues(node, 0)]);
  });

  test("what does not fit into its list is a problem, and the rest is banned", async () => {
    using node = createTuningNode(1);
    const bans = Array.from({ length: 119 }, (_, at) => 1000 + at).slice(0, 95);
    const irqbalance = startIrqBalance(node.fake, { pid: 77, bans: [1, ...bans] });
    node.attach(0, "web-1");
    const memory = createPassMemory(node.host);
    const report = await passOnce(node.host, memory);
    expect(irqbalance.bans).toEqual([1, queues(node, 0)[0], ...bans]);
    expect(report.irqBalance).toEqual({ pid: 77, irqs: queues(node, 0).slice(0, 1) });
    expect(problems(report)).toEqual([expect.stringContaining("its socket takes 1 of the 2 interrupts")]);
    const next = await passOnce(node.host, memory);
    expect([next.irqBalance, problems(next)]).toEqual([undefined, problems(report)]);
  });

  test("what is in its full list stays there when more is pinned", async () => {
    using node = createTuningNode(2);
    const bans = Array.from({ length: 94 }, (_, at) => 1000 + at);
    const irqbalance = startIrqBalance(node.fake, { pid: 77, bans: [1, 2, ...bans] });
    const memory = createPassMemory(node.host);
    node.attach(1, "web-2");
    await passOnce(node.host, memory);
    const told = [1, 2, ...queues(node, 1), ...bans];
    expect(irqbalance.bans).toEqual(told);
    node.attach(0, "web-1");
    expect(problems(await passOnce(node.host, memory))).toEqual([expect.stringContaining("2 of the 4")]);
    expect([irqbalance.bans, irqbalance.looks]).toEqual([told, 1]);
    // As a daemon that was killed leaves it which was to say more.
    const before = readTold(node.host);
    if (before.told === undefined) throw new Error("it was told nothing");
    writeTold(node.host, { ...before, told: { ...before.told, irqs: queues(node, 0, 1) } });
    await passOnce(node.host, memory);
    expect([irqbalance.bans, irqbalance.looks]).toEqual([told, 1]);
  });

  test("one that does not answer is a problem, and keeps no pin from its place", async () => {
    using node = createTuningNode(1);
    startIrqBalance(node.fake, { pid: 77 });
    node.fake.sockets.servers.clear();
    node.attach(0, "web-1");
    const report = await passOnce(node.host);
    expect(node.affinities(0)).toBe("0 1 0-3");
    expect(problems(report)).toEqual([expect.stringContaining("process 77 cannot be asked")]);
  });

  test("a daemon that is killed at any call leaves others' bans alone, and the next one ends in the same state", async () => {
    for (let at = 0; ; at += 1) {
      using node = createTuningNode(2);
      const irqbalance = startIrqBalance(node.fake, { pid: 77, bans: [9] });
      node.attach(0, "web-1");
      await passOnce(node.host);
      node.detach(0, "web-1");
      node.attach(1, "web-2");
      const { servers } = node.fake.sockets;
      const [server] = [...servers];
      servers.clear();
      await passOnce(node.host);
      if (server !== undefined) servers.set(...server);
      const faulty = withFault(node.host, { at, how: "killAfter" });
      const options = { finder: new IrqBalanceFinder(faulty.host), configure: false };
      await keepIrqBalanceOff(faulty.host, options).catch((error: unknown) => {
        if (!faulty.isHit()) throw error;
      });
      node.fake.endProcess();
      await passOnce(node.host);
      expect(irqbalance.bans, `killed at ${faulty.calls.at(-1)}`).toEqual([9, ...queues(node, 1)]);
      await leaveIrqBalance(node.host, new IrqBalanceFinder(node.host));
      expect(irqbalance.bans).toEqual([9]);
      if (!faulty.isHit()) return;
    }
  });
});

describe("by its policy scripts", () => {
  const entry = "etc/irqbalance.d/virtfn";

  test("an entry is put into its folder, its list stays, and it is made to look again at each change", async () => {
    using node = createTuningNode(1);
    fs.mkdirSync(join(node.fake.root, "etc/irqbalance.d"), { recursive: true });
    const irqbalance = startIrqBalance(node.fake, {
      pid: 77,
      args: ["--policyscript=/etc/irqbalance.d"],
      bans: [9],
    });
    node.attach(0, "web-1");
    for (let pass = 0; pass < 3; pass += 1) await passOnce(node.host);
    expect([irqbalance.bans, irqbalance.looks]).toEqual([[9], 1]);
    expect(askEntry(node, entry, queues(node, 0)[0])).toEqual({ exitCode: 0, said: "ban=true\n" });
    expect(askEntry(node, entry, 9)).toEqual({ exitCode: 1, said: "" });
    node.detach(0, "web-1");
    await passOnce(node.host);
    expect(irqbalance.looks).toBe(2);
    expect(askEntry(node, entry, queues(node, 0)[0])).toEqual({ exitCode: 1, said: "" });
    await leaveIrqBalance(node.host, new IrqBalanceFinder(node.host));
    expect(fs.existsSync(join(node.fake.root, entry))).toBe(false);
    expect(hasIrqBalanceChanges(node.host)).toBe(false);
  });

  test("another program's file of the entry's name stays, and is a problem", async () => {
    using node = createTuningNode(1);
    writeFolder(node.fake.root, { "etc/irqbalance.d/virtfn": "#!/bin/sh" });
    startIrqBalance(node.fake, { pid: 77, args: ["--policyscript=/etc/irqbalance.d"] });
    node.attach(0, "web-1");
    expect(problems(await passOnce(node.host))).toEqual([
      expect.stringContaining("/etc/irqbalance.d/virtfn: it is another program's"),
    ]);
    await leaveIrqBalance(node.host, new IrqBalanceFinder(node.host));
    expect(fs.readFileSync(join(node.fake.root, entry), "utf8")).toBe("#!/bin/sh\n");
  });

  test.each([
    ["of a container", "Uid:\t0\t0\t0\t0\nNSpid:\t77\t1\n"],
    ["of a user", "Uid:\t1000\t1000\t1000\t1000\nNSpid:\t77\n"],
    ["that ends meanwhile", undefined],
  ])("a process %s that calls itself irqbalance is none: it chooses no folder", async (_, status) => {
    using node = createTuningNode(1);
    const irqbalance = startIrqBalance(node.fake, { pid: 77, args: ["--policyscript=/opt/cni/bin"] });
    const path = join(node.fake.root, "proc/77/status");
    if (status === undefined) fs.rmSync(path);
    else fs.writeFileSync(path, status);
    const plugin = join(node.fake.root, "opt/cni/bin/virtfn");
    fs.writeFileSync(plugin, "the plugin");
    node.attach(0, "web-1");
    expect(problems(await passOnce(node.host))).toEqual([]);
    expect(fs.readFileSync(plugin, "utf8")).toBe("the plugin");
    expect(irqbalance.looks).toBe(0);
  });

  test("one script for all is the administrator's: its list is used", async () => {
    using node = createTuningNode(1);
    writeFolder(node.fake.root, { "etc/irqbalance.sh": "#!/bin/sh" });
    const irqbalance = startIrqBalance(node.fake, { pid: 77, args: ["-l", "/etc/irqbalance.sh"] });
    node.attach(0, "web-1");
    await passOnce(node.host);
    expect(irqbalance.bans).toEqual(queues(node, 0));
  });
});

describe("in its configuration", () => {
  const file = "etc/default/irqbalance";
  const text = "#IRQBALANCE_ARGS=";

  test("nothing is changed unless node.yaml says so, and it is undone when it does not any more", async () => {
    using node = createTuningNode(1);
    writeFolder(node.fake.root, { [file]: text });
    const read = (): string => fs.readFileSync(join(node.fake.root, file), "utf8");
    await passWith(node, false);
    expect(read()).toBe(`${text}\n`);
    await passWith(node, true);
    expect(read()).toContain('\nIRQBALANCE_ARGS="--policyscript=/var/lib/virtfn/irqbalance.d"\n');
    expect(fs.existsSync(join(node.fake.root, "var/lib/virtfn/irqbalance.d/virtfn"))).toBe(true);
    expect(hasIrqBalanceChanges(node.host)).toBe(true);
    await passWith(node, false);
    expect(read()).toBe(`${text}\n`);
    await passWith(node, true);
    await leaveIrqBalance(node.host, new IrqBalanceFinder(node.host));
    expect(read()).toBe(`${text}\n`);
    expect(hasIrqBalanceChanges(node.host)).toBe(false);
  });

  test("no file, or one with arguments that are not understood, is a problem", async () => {
    using node = createTuningNode(1);
    expect(problems(await passWith(node, true))).toEqual([expect.stringContaining("found none")]);
    writeFolder(node.fake.root, { [file]: 'IRQBALANCE_ARGS="$MORE"' });
    expect(problems(await passWith(node, true))).toEqual([
      expect.stringContaining("expected IRQBALANCE_ARGS to be plain words"),
    ]);
  });
});

/** Runs the entry as irqbalance does: with a device, which is /sys for interrupts that come later, and an IRQ. */
function askEntry(node: TuningNode, path: string, irq = 0): { exitCode: number; said: string } {
  const { exitCode, stdout } = Bun.spawnSync([join(node.fake.root, path), "/sys", `${irq}`]);
  return { exitCode, said: stdout.toString() };
}
