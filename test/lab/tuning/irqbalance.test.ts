// Tuning beside the real irqbalance, as Debian's unit runs it: it is told what is pinned, and no pin is lost while it knows. Ten minutes of it: test/soak-lab/irqbalance.test.ts.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PodVf } from "../demo/pod-vfs.ts";
import { deletePods } from "../demo/pods.ts";
import {
  exchange,
  listIrqs,
  listPinned,
  listQueues,
  removePinnedPods,
  startIrqBalance,
  startPinnedPods,
  stopIrqBalance,
  tellIrqBalance,
  waitForBans,
  waitForPins,
  watchPins,
  writeNodeConfig,
} from "../support/irqbalance.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";

const lab = await openLabUnderTest();
const { node } = lab;
const pods = ["balanced-1", "balanced-2"] as const;
/** A look comes every 2.5 s; each further call into the emulated node takes a good part of a second. */
const noticedWithinMs = 5_000;
const toldWithinMs = 10_000;
/** Where no pin moves, the daemon looks at the list when it looks at everything. */
const polledWithinMs = 45_000;
let vfs: readonly [PodVf, PodVf];
let queues: readonly number[] = [];
/** What tuning has it leave alone: the queues and the mailboxes. */
let pinned: readonly number[] = [];

async function startPods(): Promise<void> {
  const [first, second, ...more] = await startPinnedPods(lab, pods);
  if (first === undefined || second === undefined || more.length > 0)
    throw new Error("expected a VF in each of two pods");
  vfs = [first, second];
  queues = listQueues(vfs);
  pinned = listPinned(vfs);
}

/** Pinned interrupts among those that irqbalance places. */
async function findPlaced(): Promise<readonly number[]> {
  const placed = await listIrqs(node, "stats");
  if (placed.length === 0) throw new Error("irqbalance has not looked yet");
  return placed.filter((irq) => pinned.includes(irq));
}

beforeAll(async () => {
  await startPods();
  await startIrqBalance(node);
});

// What irqbalance did to interrupts that nobody pinned stays done.
afterAll(async () => {
  await stopIrqBalance(node);
  await node.run("rm -rf /etc/irqbalance.d /var/lib/virtfn/irqbalance.d; : >/etc/default/irqbalance");
  await removePinnedPods(lab, pods);
});

// A pin that is undone more than three times in two minutes is left alone for a while: what undoes pins has its time in between.

test("it is told which interrupts are pinned, and places the others", async () => {
  expect(queues).toHaveLength(4);
  await waitForBans(node, pinned, polledWithinMs);
  await waitForPins(node, queues, noticedWithinMs);
  await expect.poll(findPlaced, { timeout: toldWithinMs, interval: 500 }).toEqual([]);
});

test("a pin that was changed by hand is back within 5 s", async () => {
  await node.run(`echo 0 >/proc/irq/${queues[0]}/smp_affinity_list`);
  await waitForPins(node, queues, noticedWithinMs);
  expect(await watchPins(node, queues, 2)).toEqual([]);
});

test("no pin is lost in traffic", async ({ annotate }) => {
  const [lost, answers] = await Promise.all([watchPins(node, queues, 20), exchange(lab, vfs, 15)]);
  await annotate(`${answers} packets there and back`);
  expect(answers).toBeGreaterThan(100);
  expect(lost).toEqual([]);
});

test("after its restart it is told again, beside the administrator's own, and no pin is lost from then on", async () => {
  const own = (await listIrqs(node, "stats")).find((irq) => !pinned.includes(irq));
  if (own === undefined) throw new Error("irqbalance places no other interrupt");
  await startIrqBalance(node, `--banirq=${own}`);
  const both = [own, ...pinned].toSorted((a, b) => a - b);
  await waitForBans(node, both, toldWithinMs);
  await waitForPins(node, queues, noticedWithinMs);
  expect(await watchPins(node, queues, 15)).toEqual([]);
  expect(await listIrqs(node, "setup")).toEqual(both);
});

test("with a folder of policy scripts it asks ours: its list stays empty, and not even its restart costs a pin", async () => {
  await node.run("mkdir -p /etc/irqbalance.d");
  await startIrqBalance(node, "--policyscript=/etc/irqbalance.d");
  await expect.poll(findPlaced, { timeout: polledWithinMs, interval: 1_000 }).toEqual([]);
  await waitForPins(node, queues, noticedWithinMs);
  expect(await watchPins(node, queues, 15, "systemctl restart irqbalance")).toEqual([]);
  expect(await listIrqs(node, "setup")).toEqual([]);
  expect(await node.run("stat -c '%U %a' /etc/irqbalance.d/virtfn")).toBe("root 755");
});

test("with `configure: true` its next start takes a folder of scripts of ours; without it its file is as before", async () => {
  const file = "/etc/default/irqbalance";
  const folder = "/var/lib/virtfn/irqbalance.d";
  const read = async (): Promise<string> => await node.run(`cat ${file}`);
  const written = { timeout: polledWithinMs, interval: 500 };
  // The one that runs has the scripts of before, and goes on: each start without any costs pins.
  await node.run(`echo 'IRQBALANCE_ARGS="-t 1"' >${file}`);
  const before = await read();
  await writeNodeConfig(node, true);
  await expect.poll(read, written).toContain(`\nIRQBALANCE_ARGS="-t 1 --policyscript=${folder}"`);
  expect(await watchPins(node, queues, 15, "systemctl restart irqbalance")).toEqual([]);
  const started = await node.run(
    "xargs -0 echo </proc/$(systemctl show -p MainPID --value irqbalance)/cmdline",
  );
  expect(started).toContain(`-t 1 --policyscript=${folder}`);
  await expect.poll(findPlaced, { timeout: polledWithinMs, interval: 1_000 }).toEqual([]);
  expect(await listIrqs(node, "setup")).toEqual([]);
  await writeNodeConfig(node);
  await expect.poll(read, written).toBe(before);
});

test("when the pods are gone nothing of them is in its list", async () => {
  await startIrqBalance(node);
  await waitForBans(node, pinned, toldWithinMs);
  await deletePods(lab, pods);
  await waitForBans(node, [], polledWithinMs);
  expect(await listIrqs(node, "setup")).toEqual([]);
});

test("told by somebody to leave nothing alone it takes the pins, which are back soon, and is told again", async ({
  annotate,
}) => {
  await startPods();
  // irqbalance may have put a mailbox onto a housekeeping CPU while no pod had the VF: there tuning leaves it alone.
  const mailboxes = pinned.filter((irq) => !queues.includes(irq));
  await waitForBans(node, pinned, polledWithinMs, mailboxes);
  await waitForPins(node, queues, noticedWithinMs);
  await tellIrqBalance(node, "settings ban irqs NONE");
  const lost = await watchPins(node, queues, 5);
  await annotate(`without its list: ${lost.slice(0, 4).join(", ") || "no pin was moved"}`);
  expect(lost.length).toBeGreaterThan(0);
  await waitForBans(node, pinned, polledWithinMs, mailboxes);
  await waitForPins(node, queues, noticedWithinMs);
  expect(await watchPins(node, queues, 10)).toEqual([]);
});
