// Pins that are undone again and again: when they rest, how long, and what a pass does with them.

import { describe, expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { Contests } from "../../../tuning/contests.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { startIrqBalance } from "../../support/fake-irqbalance.ts";
import { createFakeClock } from "../../support/fake-host-clock.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

const vf = parsePciAddress("0000:3b:02.0");
const minuteMs = 60_000;

function openContests() {
  const clock = createFakeClock();
  const contests = new Contests({ clock }, []);
  const add = (...indexes: readonly number[]): readonly string[] =>
    contests
      .add(new Map(indexes.length === 0 ? [] : [[vf, indexes]]), () => "irqbalance")
      .map(({ is, pin }) => `${is}: ${pin.msiIndex} undone ${pin.undone}, rests ${pin.restSeconds}`);
  return { clock, contests, add };
}

/** A node where someone moved the pin of VF 0's vector 1 to CPU 3 after each of four passes. */
async function fight(node: TuningNode) {
  node.attach(0, "web-1");
  const memory = createPassMemory(node.host);
  const pass = async () => {
    const { undone, contestChanges } = await passOnce(node.host, memory);
    const changes = contestChanges.map(({ is, pin }) => `${is} by ${pin.by}, ${pin.restSeconds} s`);
    return { undone: [...undone.values()].flat().length, changes, now: node.affinities(0) };
  };
  await pass();
  const passes: Awaited<ReturnType<typeof pass>>[] = [];
  for (let times = 0; times < 4; times += 1) {
    node.setAffinity(0, 1, "3");
    passes.push(await pass());
  }
  return { memory, pass, passes };
}

describe("a pin", () => {
  test("may be undone three times in two minutes; then it rests a minute, twice as long each time, an hour at most", async () => {
    const { clock, contests, add } = openContests();
    expect([add(1), add(1), add(1)]).toEqual([[], [], []]);
    expect(contests.isResting(vf, 1)).toBe(false);
    const told: string[] = [];
    for (let times = 0; times < 8; times += 1) {
      told.push(...add(1));
      expect(contests.isResting(vf, 1)).toBe(true);
      await clock.advance((contests.list()[0]?.restSeconds ?? 0) * 1000);
      expect(contests.isResting(vf, 1)).toBe(false);
    }
    expect(told.map((text) => Number(text.split(" ").at(-1)))).toEqual([
      60, 120, 240, 480, 960, 1920, 3600, 3600,
    ]);
    expect(told[0]).toBe("contested: 1 undone 4, rests 60");
    expect(told[7]).toBe("contested: 1 undone 11, rests 3600");
  });

  test("that is undone now and then is not contested", async () => {
    const { clock, add } = openContests();
    for (let times = 0; times < 10; times += 1) {
      expect(add(1)).toEqual([]);
      await clock.advance(minuteMs);
    }
  });

  test("that was left in peace for ten minutes is contested no more, and starts anew", async () => {
    const { clock, contests, add } = openContests();
    for (let times = 0; times < 4; times += 1) add(1);
    await clock.advance(minuteMs + 10 * minuteMs - 1);
    expect(add()).toEqual([]);
    await clock.advance(1);
    expect(add()).toEqual(["over: 1 undone 4, rests 60"]);
    expect(contests.list()).toEqual([]);
    expect(add(1)).toEqual([]);
  });

  test("does not make the others of its VF rest, and is forgotten with the VF", () => {
    const { contests, add } = openContests();
    for (let times = 0; times < 4; times += 1) add(0, 1);
    expect(contests.list().map(({ msiIndex }) => msiIndex)).toEqual([0, 1]);
    expect(contests.isResting(vf, 2)).toBe(false);
    contests.keepOnly(new Set());
    expect(contests.list()).toEqual([]);
  });

  test("rests on in the next process, for what is left", async () => {
    const { clock, contests, add } = openContests();
    for (let times = 0; times < 4; times += 1) add(1);
    await clock.advance(minuteMs - 1);
    const next = new Contests({ clock }, contests.list());
    expect([next.isResting(vf, 1), next.list()]).toEqual([true, contests.list()]);
    await clock.advance(1);
    expect(next.isResting(vf, 1)).toBe(false);
  });

  test("rests no longer than it was to, whatever the time of day does meanwhile", async () => {
    const { clock, contests, add } = openContests();
    for (let times = 0; times < 4; times += 1) add(1);
    const yesterday = { ...clock, nowMs: () => clock.nowMs() - 86_400_000 };
    const next = new Contests({ clock: yesterday }, contests.list());
    await clock.advance(minuteMs);
    expect(next.isResting(vf, 1)).toBe(false);
  });

  test("tells when the next rest ends, and nothing while none is left", async () => {
    const { clock, contests, add } = openContests();
    expect(contests.nextRestEndMs()).toBeUndefined();
    for (let times = 0; times < 4; times += 1) add(1);
    await clock.advance(1_000);
    for (let times = 0; times < 4; times += 1) add(2);
    expect(contests.nextRestEndMs()).toBe(clock.monotonicMs() + minuteMs - 1_000);
    await clock.advance(minuteMs - 1_000);
    expect(contests.nextRestEndMs()).toBe(clock.monotonicMs() + 1_000);
    await clock.advance(1_000);
    expect(contests.nextRestEndMs()).toBeUndefined();
  });
});

describe("a pass", () => {
  test("leaves a contested pin where it is, tells who may have undone it, and looks after the others", async () => {
    using node = createTuningNode(1);
    const { passes, pass } = await fight(node);
    const back = { undone: 1, changes: [], now: "0 1 0-3" };
    const resting = { undone: 1, changes: ["contested by unknown, 60 s"], now: "0 3 0-3" };
    expect(passes).toEqual([back, back, back, resting]);
    node.setAffinity(0, 0, "2");
    node.setAffinity(0, 1, "2");
    expect(await pass()).toEqual({ undone: 1, changes: [], now: "0 2 0-3" });
  });

  test("tries again after the rest, in the place of before, and rests longer when that is undone", async () => {
    using node = createTuningNode(1);
    const { pass } = await fight(node);
    node.setAffinity(0, 1, "2");
    await pass();
    node.setAffinity(0, 1, "0-3");
    await node.fake.clock.advance(minuteMs);
    expect(await pass()).toEqual({ undone: 0, changes: [], now: "0 1 0-3" });
    node.setAffinity(0, 1, "3");
    expect(await pass()).toEqual({ undone: 1, changes: ["contested by unknown, 120 s"], now: "0 3 0-3" });
    await node.fake.clock.advance(2 * minuteMs);
    expect(await pass()).toEqual({ undone: 0, changes: [], now: "0 1 0-3" });
    await node.fake.clock.advance(10 * minuteMs);
    expect(await pass()).toEqual({ undone: 0, changes: ["over by unknown, 120 s"], now: "0 1 0-3" });
  });

  test("counts nothing that an irqbalance undid before it was told, and all that it undoes after", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    const memory = createPassMemory(node.host);
    const pass = async (): Promise<readonly string[]> => {
      const { contestChanges } = await passOnce(node.host, memory);
      return contestChanges.map(({ is, pin }) => `${is}: undone ${pin.undone}`);
    };
    await pass();
    for (let pid = 77; pid < 83; pid += 1) {
      const irqbalance = startIrqBalance(node.fake, { pid });
      node.setAffinity(0, 1, "3");
      expect(await pass()).toEqual([]);
      irqbalance.end();
    }
    const irqbalance = startIrqBalance(node.fake, { pid: 83 });
    const changes: string[] = [];
    for (let times = 0; times < 5; times += 1) {
      node.setAffinity(0, 1, "3");
      irqbalance.bans = [];
      changes.push(...(await pass()));
    }
    expect(changes).toEqual(["contested: undone 4"]);
  });

  test("counts nothing that one undid which does not listen at first, however often", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    const memory = createPassMemory(node.host);
    await passOnce(node.host, memory);
    const irqbalance = startIrqBalance(node.fake, { pid: 77, isDeaf: true });
    const passes: unknown[] = [];
    for (let times = 1; times <= 4; times += 1) {
      if (times === 4) irqbalance.listen();
      node.setAffinity(0, 1, "3");
      const { contestChanges, contested, isUnfinished } = await passOnce(node.host, memory);
      passes.push([contestChanges.map(({ is }) => is), contested.length, isUnfinished]);
    }
    expect(passes.slice(2)).toEqual([
      [[], 0, true],
      [["contested", "over"], 0, true],
    ]);
    expect((await passOnce(node.host, memory)).isUnfinished).toBe(false);
    expect([node.affinities(0), irqbalance.bans]).toEqual(["0 1 0-3", node.irqs(0).slice(0, 2)]);
  });

  test("counts on what was undone before an irqbalance started, and what began to rest before that", async () => {
    using node = createTuningNode(1);
    const { memory } = await fight(node);
    await node.fake.clock.advance(5_000);
    writeFolder(node.fake.root, { "proc/uptime": "78.00 0.00" });
    startIrqBalance(node.fake, { pid: 77 });
    const { irqBalance, contestChanges, contested } = await passOnce(node.host, memory);
    expect([irqBalance?.pid, contestChanges, contested.map(({ undone }) => undone)]).toEqual([77, [], [4]]);
  });

  test("counts what somebody undoes beside an irqbalance that ends and starts all the time", async () => {
    using node = createTuningNode(1);
    node.attach(0, "web-1");
    const memory = createPassMemory(node.host);
    await passOnce(node.host, memory);
    const changes: string[] = [];
    for (let pid = 77; pid < 81; pid += 1) {
      // Its fake counts a second for each pid: this one started a second ago.
      writeFolder(node.fake.root, { "proc/uptime": `${pid + 1}.00 0.00` });
      const irqbalance = startIrqBalance(node.fake, { pid });
      await passOnce(node.host, memory);
      await node.fake.clock.advance(5_000);
      node.setAffinity(0, 1, "3");
      const { contestChanges } = await passOnce(node.host, memory);
      changes.push(...contestChanges.map(({ is, pin }) => `${is}: undone ${pin.undone}`));
      irqbalance.end();
      await node.fake.clock.advance(5_000);
    }
    expect(changes).toEqual(["contested: undone 4"]);
  });

  test("counts on, in the next process too, what was undone by one that was told by the process before", async () => {
    using node = createTuningNode(2);
    startIrqBalance(node.fake, { pid: 77 });
    node.attach(0, "web-1");
    await passOnce(node.host);
    const memory = createPassMemory(node.host);
    await passOnce(node.host, memory);
    for (let times = 0; times < 4; times += 1) {
      node.setAffinity(0, 1, "3");
      await passOnce(node.host, memory);
    }
    node.attach(1, "web-2");
    const { irqBalance, contestChanges, contested } = await passOnce(node.host, memory);
    expect([irqBalance?.pid, contestChanges, contested.map(({ undone }) => undone)]).toEqual([77, [], [4]]);
  });

  test("has the next pod's interrupt rest for nothing that the pod before knew, also where it saw neither's end", async () => {
    using node = createTuningNode(1);
    const { pass } = await fight(node);
    node.detach(0, "web-1");
    node.setAffinity(0, 1, "0-3");
    node.attach(0, "web-2");
    expect(await pass()).toEqual({ undone: 0, changes: [], now: "0 1 0-3" });
  });

  test("counts nothing that an irqbalance undid before it was told, also where `virtfn tuning --once` told it", async () => {
    using node = createTuningNode(1);
    const { memory } = await fight(node);
    startIrqBalance(node.fake, { pid: 77 });
    await passOnce(node.host);
    const { irqBalance, contestChanges, contested } = await passOnce(node.host, memory);
    expect([irqBalance, contestChanges.map(({ is }) => is), contested]).toEqual([undefined, ["over"], []]);
    expect(await passOnce(node.host, memory)).toMatchObject({ contested: [], contestChanges: [] });
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test("puts a contested interrupt back as it was before when the pod is gone", async () => {
    using node = createTuningNode(1);
    const { memory, pass } = await fight(node);
    node.detach(0, "web-1");
    expect((await pass()).now).toBe("0-3 0-3 0-3");
    expect(memory.contests.list()).toEqual([]);
  });
});
