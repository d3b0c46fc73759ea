// `virtfn tuning` beside the real irqbalance, which is told over its socket, or by an entry among its policy scripts.

import * as fs from "node:fs";
import { join } from "node:path";

import { describe, expect, onTestFinished, test, type TestContext } from "vitest";

import { findIrqBalance, RealIrqBalance } from "../../support/real-irqbalance.ts";
import { TuningMachine } from "../../support/tuning-process.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

/** Until the daemon has made its first pass: a Bun process takes its time on a busy machine. */
const startTimeoutMs = 20_000;
/** Until the daemon has seen that irqbalance is another one. */
const restartTimeoutMs = 20_000;

/** A list that nobody but irqbalance has: no interrupt of the machine. */
const administrators = [9001, 9002];

type Starter = (machine: TuningMachine, ...args: readonly string[]) => Promise<RealIrqBalance>;

/** Starts irqbalance; each is ended with the test. */
function findStarter(skip: TestContext["skip"]): Starter {
  const debian = findIrqBalance();
  if (debian === undefined)
    return skip("no irqbalance: install Debian's package, or let the lab make its Debian first");
  return async (machine, ...args) => {
    const started = await RealIrqBalance.start(debian, machine.root, ...args);
    onTestFinished(async () => started[Symbol.asyncDispose]());
    return started;
  };
}

async function waitForBans(irqbalance: RealIrqBalance, irqs: readonly number[], timeoutMs: number) {
  const wanted = irqs.toSorted((a, b) => a - b).join();
  const look = async (): Promise<boolean> =>
    (await irqbalance.bans()).toSorted((a, b) => a - b).join() === wanted;
  await waitFor(`the list ${wanted}`, look, timeoutMs);
}

function queues(machine: TuningMachine, ...vfs: readonly number[]): readonly number[] {
  return vfs.flatMap((vf) => machine.irqs().slice(vf * 3, vf * 3 + 2));
}

describe("its list", () => {
  test("has what is pinned beside the administrator's, follows pods, and is told to the next irqbalance too", async ({
    skip,
  }) => {
    const start = findStarter(skip);
    using machine = new TuningMachine();
    const first = await start(machine, "-t", "600", ...administrators.map((irq) => `--banirq=${irq}`));
    machine.attach(0, "web-1");
    await using _daemon = machine.start("--listen", "off");
    await waitForBans(first, [...administrators, ...queues(machine, 0)], startTimeoutMs);
    machine.attach(1, "web-2");
    await waitForBans(first, [...administrators, ...queues(machine, 0, 1)], beforeNextLookMs);
    machine.detach(0);
    await waitForBans(first, [...administrators, ...queues(machine, 1)], beforeNextLookMs);

    await first[Symbol.asyncDispose]();
    const second = await start(machine, "-t", "600");
    await waitForBans(second, queues(machine, 1), restartTimeoutMs);
    machine.detach(1);
    await waitForBans(second, [], beforeNextLookMs);
    expect(await second.bans()).toEqual([]);
  });

  test("an irqbalance that hangs keeps no pod waiting for its pins, and survives the end of the daemon that asked it", async ({
    skip,
  }) => {
    const start = findStarter(skip);
    using machine = new TuningMachine();
    const irqbalance = await start(machine, "-t", "600");
    machine.attach(0, "web-1");
    await using daemon = machine.start("--listen", "off");
    await waitForBans(irqbalance, queues(machine, 0), startTimeoutMs);
    irqbalance.signal("SIGSTOP");
    machine.attach(1, "web-2");
    await machine.waitForAffinities(1, "1 3 0-15", beforeNextLookMs);
    // An asker that were gone by the answer would be its end.
    await irqbalance.waitForQuestion(beforeNextLookMs);
    const ended = daemon.end("SIGTERM");
    await Bun.sleep(500);
    irqbalance.signal("SIGCONT");
    expect(await ended).toBe(0);
    await waitForBans(irqbalance, queues(machine, 0, 1), beforeNextLookMs);
    expect(irqbalance.hasEnded()).toBe(false);
  });

  test("is left as it was by --restore, also by one that did not tell it", async ({ skip }) => {
    const start = findStarter(skip);
    using machine = new TuningMachine();
    const irqbalance = await start(machine, "-t", "600");
    await irqbalance.ban(...administrators);
    machine.attach(0, "web-1");
    expect((await machine.start("--once").result()).exitCode).toBe(0);
    await waitForBans(irqbalance, [...administrators, ...queues(machine, 0)], 0);
    expect((await machine.start("--restore").result()).exitCode).toBe(0);
    await waitForBans(irqbalance, administrators, 0);
  });
});

test.for(["its list", "its policy scripts"])(
  "by %s it leaves what is pinned alone",
  async (way, { skip }) => {
    const start = findStarter(skip);
    using machine = new TuningMachine();
    const scripts = join(machine.root, "scripts");
    fs.mkdirSync(scripts);
    // What the host calls this folder is one path for irqbalance and for the machine.
    fs.mkdirSync(join(machine.root, machine.root, ".."), { recursive: true });
    fs.symlinkSync("/", join(machine.root, machine.root));
    const args = way === "its list" ? [] : [`--policyscript=${scripts}`];
    const irqbalance = await start(machine, "-t", "1", ...args);
    await waitFor(
      "a look at the interrupts",
      async () => irqbalance.hasEnded() || (await irqbalance.balanced()).length > 0,
      10_000,
    );
    if (irqbalance.hasEnded()) return skip("irqbalance does nothing on a machine with one cache domain");
    const [tx = 0, rx = 0, mailbox = 0] = (await irqbalance.balanced()).toSorted((a, b) => a - b);
    machine.setIrqs(0, [tx, rx, mailbox]);
    machine.attach(0, "web-1");
    expect((await machine.start("--once").result()).exitCode).toBe(0);
    const isBalanced = async (...irqs: readonly number[]): Promise<boolean> => {
      const all = await irqbalance.balanced();
      return irqs.every((irq) => all.includes(irq));
    };
    await waitFor(
      "it to leave them alone",
      async () => !(await isBalanced(tx)) && !(await isBalanced(rx)),
      10_000,
    );
    expect(await irqbalance.bans()).toEqual(way === "its list" ? [tx, rx] : []);
    machine.detach(0);
    expect((await machine.start("--once").result()).exitCode).toBe(0);
    await waitFor("it to take them again", async () => isBalanced(tx, rx), 20_000);
    expect(await irqbalance.bans()).toEqual([]);
  },
);
