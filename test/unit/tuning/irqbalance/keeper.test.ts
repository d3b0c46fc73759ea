// An irqbalance that takes its time keeps no pass waiting, and is told all the same.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../../host/errors.ts";
import type { Host } from "../../../../host/host.ts";
import { createPassMemory } from "../../../../tuning/pass-memory.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";
import { createTuningNode, type TuningNode } from "../../../support/tuning-node.ts";
import { passOnce } from "../../../support/tuning-pass.ts";

/** Has answers wait until the returned function is called. */
function holdAnswers(node: TuningNode): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  node.fake.sockets.pause = promise;
  return () => {
    node.fake.sockets.pause = undefined;
    resolve();
  };
}

test("a busy one is left to it, and a later pass tells what is pinned then", async () => {
  using node = createTuningNode(2);
  const irqbalance = startIrqBalance(node.fake, { pid: 77 });
  const memory = createPassMemory(node.host);
  const late = Promise.withResolvers<void>();
  const patience = { waitMs: 100, onLate: () => late.resolve() };
  node.attach(0, "web-1");
  await passOnce(node.host, memory, {});
  const answer = holdAnswers(node);
  node.attach(1, "web-2");
  await passOnce(node.host, memory, {}, patience);
  node.detach(0, "web-1");
  const { problems } = await passOnce(node.host, memory, {}, patience);
  expect(node.affinities(1)).toMatch(/^\d \d 0-3$/);
  expect(problems).toEqual([]);
  expect(irqbalance.looks).toBe(1);
  answer();
  await late.promise;
  const { irqBalance } = await passOnce(node.host, memory, {}, patience);
  expect(irqBalance).toEqual({ pid: 77, irqs: node.irqs(1).slice(0, 2) });
  expect(irqbalance.bans).toEqual(node.irqs(1).slice(0, 2));
});

/** Passes as a daemon makes them of an irqbalance that answers late each time: how often each of them had it called. */
async function countCalls(node: TuningNode, passes: number): Promise<readonly number[]> {
  const memory = createPassMemory(node.host);
  const counts: number[] = [];
  for (let times = 0; times < passes; times += 1) {
    let calls = 0;
    const answer = holdAnswers(node);
    await passOnce(node.host, memory, {}, { waitMs: 1, onLate: () => void (calls += 1) });
    answer();
    await memory.irqBalance.settle();
    await new Promise(setImmediate);
    counts.push(calls);
  }
  return counts;
}

test("one that is slow each time has the next pass only where there is something new", async () => {
  using node = createTuningNode(1);
  startIrqBalance(node.fake, { pid: 77 });
  node.attach(0, "web-1");
  expect(await countCalls(node, 4)).toEqual([1, 0, 0, 0]);
});

test("one that hangs is told as a problem, and has a pass for that once", async () => {
  using node = createTuningNode(1);
  const irqbalance = startIrqBalance(node.fake, { pid: 77 });
  node.fake.sockets.servers.set(irqbalance.path, () => {
    throw new SystemCallError("recv", irqbalance.path, "ETIMEDOUT");
  });
  node.attach(0, "web-1");
  expect(await countCalls(node, 4)).toEqual([1, 0, 0, 0]);
});

test("what came to be pinned while it was busy is told when it is done, also where it heard nothing new", async () => {
  using node = createTuningNode(2);
  const irqbalance = startIrqBalance(node.fake, { pid: 77 });
  const memory = createPassMemory(node.host);
  node.attach(0, "web-1");
  await passOnce(node.host, memory);
  const answer = holdAnswers(node);
  const late = Promise.withResolvers<void>();
  const patience = { waitMs: 1, onLate: () => late.resolve() };
  await passOnce(node.host, memory, {}, patience);
  node.attach(1, "web-2");
  await passOnce(node.host, memory, {}, patience);
  answer();
  await late.promise;
  await passOnce(node.host, memory, {}, patience);
  expect(irqbalance.bans).toEqual([...node.irqs(0).slice(0, 2), ...node.irqs(1).slice(0, 2)]);
});

test("the end of the daemon waits for the answer that is under way", async () => {
  using node = createTuningNode(1);
  startIrqBalance(node.fake, { pid: 77 });
  const memory = createPassMemory(node.host);
  node.attach(0, "web-1");
  const answer = holdAnswers(node);
  const late = Promise.withResolvers<void>();
  await passOnce(node.host, memory, {}, { waitMs: 1, onLate: () => late.resolve() });
  answer();
  await memory.irqBalance.settle();
  await late.promise;
  expect((await memory.irqBalance.keepOff(false)).told).toEqual({ pid: 77, irqs: node.irqs(0).slice(0, 2) });
});

test("the end of the daemon waits for one that did not answer in time, too: it would die of its answer", async () => {
  using node = createTuningNode(1);
  startIrqBalance(node.fake, { pid: 77 });
  node.attach(0, "web-1");
  const { promise, resolve } = Promise.withResolvers<void>();
  const localSockets: Host["localSockets"] = {
    ...node.host.localSockets,
    ask: async (address) => {
      throw new SystemCallError("recv", address, "ETIMEDOUT");
    },
    whenDone: () => promise,
  };
  // Nobody is so late that the end would not wait for it.
  const clock: Host["clock"] = { ...node.host.clock, sleep: async () => new Promise(() => {}) };
  const memory = createPassMemory({ ...node.host, localSockets, clock });
  await passOnce(node.host, memory);
  let isSettled = false;
  const settled = memory.irqBalance.settle().then(() => (isSettled = true));
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  expect(isSettled).toBe(false);
  resolve();
  await settled;
});
