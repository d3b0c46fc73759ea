// Ten minutes of irqbalance that places all interrupts anew again and again: test/lab/tuning/irqbalance.test.ts in full.
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoVfs } from "../lab/demo/steps.ts";
import type { PodVf } from "../lab/demo/pod-vfs.ts";
import {
  exchange,
  listPinned,
  listQueues,
  removePinnedPods,
  startIrqBalance,
  startPinnedPods,
  stopIrqBalance,
  waitForBans,
  waitForPins,
  watchPins,
} from "../lab/support/irqbalance.ts";
import { openLabUnderTest } from "../lab/support/lab-under-test.ts";

const lab = await openLabUnderTest();
const { node } = lab;
const pods = Array.from({ length: demoVfs }, (_, index) => `balanced-${index + 1}`);
const minutes = 10;
const toldWithinMs = 60_000;
let vfs: readonly PodVf[] = [];

beforeAll(async () => {
  vfs = await startPinnedPods(lab, pods);
});

afterAll(async () => {
  await stopIrqBalance(node);
  await node.run(": >/etc/default/irqbalance");
  await removePinnedPods(lab, pods);
});

test(`no pin of ${demoVfs} VFs is lost in ${minutes} minutes`, async ({ annotate }) => {
  const queues = listQueues(vfs);
  expect(queues).toHaveLength(2 * demoVfs);
  await startIrqBalance(node);
  await waitForBans(node, listPinned(vfs), toldWithinMs);
  await waitForPins(node, queues, toldWithinMs);
  const [first, second] = vfs;
  if (first === undefined || second === undefined) throw new Error("expected two VFs at least");
  let answers = 0;
  for (let minute = 1; minute <= minutes; minute += 1) {
    // A SIGHUP makes it forget where it put what, and place everything at its next look.
    const anew = "for _ in 1 2 3 4 5; do systemctl kill -s HUP irqbalance; sleep 10; done";
    const [lost, received] = await Promise.all([
      watchPins(node, queues, 60, anew),
      exchange(lab, [first, second], 50),
    ]);
    expect(lost, `minute ${minute}`).toEqual([]);
    answers += received;
  }
  await waitForBans(node, listPinned(vfs), 0);
  await annotate(`${answers} packets there and back`);
});
