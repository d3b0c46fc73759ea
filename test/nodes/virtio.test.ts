// Tuning against a driver that sets affinity itself: virtio-net does when its channels change and when a CPU comes or goes.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parseCpuMask } from "../../sriov/cpu-mask.ts";
import { readVfState, waitForVfState } from "../lab/demo/vf-state.ts";
import type { Lab } from "../lab/lab.ts";
import { createWorkshop } from "../lab/prepare/workshop.ts";
import { provideVirtioQemu } from "../lab/prepare/virtio-qemu.ts";
import { createProgress } from "../lab/progress.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView } from "../lab/support/bare-pods.ts";
import { formatCall, readAdded, readAnswer } from "../lab/support/cni-calls.ts";
import { runScripts, type ScriptResult } from "../lab/support/node-scripts.ts";
import { waitUntil } from "../lab/wait-until.ts";
import { startVirtioNode, vfs } from "./support/virtio-node.ts";
import { formatSpread, isQueue, readVirtioVectors, type VirtioVector } from "./support/virtio-vectors.ts";

const qemu = await provideVirtioQemu(createWorkshop({ progress: createProgress() }));
const pods = vfs.map((_, index) => barePod(`virtio-${index}`));
const [first, second] = pods as [BarePod, BarePod, BarePod];
const allocated = Object.fromEntries(pods.map(({ uid }, index) => [uid, vfs.slice(index, index + 1)]));
const view = { hasOwnMounts: true, prelude: mountKubeletView(vfs, allocated) };
/** The first pod has a MAC of its own, which needs no PF. */
const ownMac = "02:00:00:00:00:01";
const repairedWithinMs = 20_000;
/** With what is made for the lab the first time. */
const bootTimeoutMs = 1_800_000;
let lab: Lab;
let before = "";
let original: readonly VirtioVector[] = [];

beforeAll(async () => {
  if ("reason" in qemu) return;
  lab = await startVirtioNode(qemu.qemu);
  before = await readVfState(lab.node);
  original = await readVirtioVectors(lab.node, vfs);
  await makeNamespaces(lab.node, pods);
}, bootTimeoutMs);

beforeEach(({ skip }) => {
  if ("reason" in qemu) skip(qemu.reason);
});

afterAll(async () => {
  await (lab as Lab | undefined)?.stop();
}, bootTimeoutMs);

test("by itself the driver has an interrupt for each queue, on a group of CPUs that it asks for", () => {
  expect(original.map(({ handler }) => handler)).toEqual(vfs.flatMap(() => handlersOfOne));
  expect(formatSpread(original)).toBe("0-1: 6, 2-3: 6");
});

test.each([
  [{ vlan: 100 }, "vlan"],
  [{ spoofchk: "on" }, "spoofchk"],
  [{ trust: "on" }, "trust"],
  [{ link_state: "enable" }, "link_state"],
  [{ max_tx_rate: 100 }, "max_tx_rate"],
])("a network with %o is refused before anything moved, and the error says why", async (settings, name) => {
  const [result] = await run(call("ADD", first, settings));
  const { json } = readAnswer(result as ScriptResult);
  expect(json?.["code"]).toBe(102);
  expect(json?.["msg"]).toContain(name);
  expect(await readVfState(lab.node)).toBe(before);
  expect(await lab.node.run("ls /var/lib/virtfn/attachments 2>/dev/null || true")).toBe("");
});

test("each queue's interrupt is pinned to one CPU of the VF's NUMA node, whatever the driver asked for", async () => {
  const macs: readonly object[] = [{ mac: ownMac }, {}, {}];
  const added = await run(
    ...pods.map((pod, index) => call("ADD", pod, { ips: [`${addressOf(index)}/24`], ...macs[index] })),
  );
  for (const result of added) readAdded(result);
  await lab.node.run("systemd-run --quiet --unit=virtfn-tuning /usr/local/bin/virtfn tuning --listen off");
  await waitForSpreadOf(undefined, "0: 6, 1: 6");
  expect((await readVectors()).map(({ hint }) => hint)).toEqual(original.map(({ hint }) => hint));
});

test("which vector is a queue's is known by the names of the handlers", async () => {
  const { vfs: reported } = JSON.parse(await report("--json")) as {
    vfs: readonly { readonly vectors: readonly { readonly role: string; readonly step: string }[] }[];
  };
  const one = ["other leave", "rx 0 keep", "tx 0 keep", "rx 1 keep", "tx 1 keep"];
  expect(reported.map(({ vectors }) => vectors.map(({ role, step }) => `${role} ${step}`))).toEqual([
    one,
    one,
    one,
  ]);
});

test("no receive queue hands packets on, and each CPU sends through the transmit queue with the nearest interrupt", async () => {
  for (const [index, { name }] of pods.entries()) {
    const { cpus } =
      (await readVectors()).find(({ vf, handler }) => vf === vfs[index] && handler === "output.0") ?? {};
    const own = Number(cpus);
    // Two queues for two CPUs need no RPS. CPUs of the other node, 2 and 3, are as far from each queue: they are dealt out.
    const expected = { "rx-0": [], "rx-1": [], "tx-0": [own, 2], "tx-1": [1 - own, 3] };
    await expect.poll(() => readMasks(name), { timeout: 40_000, interval: 500 }).toEqual(expected);
  }
});

test("traffic comes up on the pinned CPUs and no other", async ({ annotate }) => {
  await exchange(5);
  const earlier = await readVectors();
  await exchange(50);
  const came = (await readVectors()).filter(isQueue).map(({ vf, irq, cpus, counts }) => {
    const was = earlier.find((vector) => vector.irq === irq)?.counts ?? [];
    return { vector: `${vf} ${irq}`, cpus, more: counts.map((count, cpu) => count - (was[cpu] ?? 0)) };
  });
  const perCpu = [0, 1, 2, 3].map((cpu) => came.reduce((sum, { more }) => sum + (more[cpu] ?? 0), 0));
  await annotate(`interrupts by CPU: ${perCpu.join(" ")}`);
  const astray = came.filter(({ cpus, more }) => more.some((n, cpu) => n > 0 && String(cpu) !== cpus));
  expect(astray).toEqual([]);
  expect(perCpu.reduce((sum, count) => sum + count)).toBeGreaterThan(100);
});

test("an interface that goes down and up in the pod keeps its pins", async () => {
  const pinned = pinsOf(await readVectors());
  await lab.node.run(`ip -n ${first.name} link set net1 down; ip -n ${first.name} link set net1 up`);
  expect(pinsOf(await readVectors())).toEqual(pinned);
});

test("other channels in the pod: the driver sets its affinity again, and the pins are back within seconds", async ({
  annotate,
}) => {
  const asked = await setChannels(first, 1);
  await annotate(`the driver asked for ${asked[1]}, before for ${original[1]?.hint}`);
  expect(asked[1]).not.toBe(original[1]?.hint);
  const startMs = performance.now();
  await waitForPins(0);
  await annotate(`back after ${Math.round(performance.now() - startMs)} ms`);
});

test("undone for the fourth time in two minutes they are left alone for a while, and the report says by whom", async ({
  annotate,
}) => {
  for (const pairs of [1, 2, 1]) {
    await setChannels(second, pairs);
    await waitForPins(1);
  }
  await setChannels(second, 2);
  const contested = await waitUntil("contested pins", readContested, { timeoutMs: repairedWithinMs });
  for (const line of contested) await annotate(line);
  // The driver has set those of the second pair twice only.
  expect(contested.map((line) => /^(\S+ vector \d+): .* maybe by driver;/.exec(line)?.[1])).toEqual([
    `${vfs[1]} vector 1`,
    `${vfs[1]} vector 2`,
  ]);
});

test("a CPU goes offline: its interrupts go to the other of its node; it comes back, and so does the balance", async () => {
  await lab.node.run("echo 0 >/sys/devices/system/cpu/cpu1/online");
  expect(await waitForSpreadOf(2, "0: 4")).toBe("0: 4");
  await lab.node.run("echo 1 >/sys/devices/system/cpu/cpu1/online");
  // Which ones come back is open; contested ones, and those that lost their queues, stay where the driver put them.
  await waitUntil("the balance", expectBalance, { timeoutMs: 40_000, intervalMs: 500 });
});

test("when the pods are gone all is as the driver had it", async () => {
  await setChannels(first, 2);
  await run(...pods.map((pod) => call("DEL", pod, {})));
  await waitForVfState(lab.node, before);
  const after = (await readVectors()).map(({ irq, cpus, hint }) => `${irq} ${cpus} ${hint}`);
  expect(after).toEqual(original.map(({ irq, cpus, hint }) => `${irq} ${cpus} ${hint}`));
});

/** Vectors of a VF with two pairs of queues, in the order of MSI indexes. Source: Linux virtio_net.c, virtnet_find_vqs. */
const handlersOfOne = ["config", "input.0", "output.0", "input.1", "output.1"];

function call(command: string, pod: BarePod, settings: object): string {
  const deviceID = vfs[pods.indexOf(pod)];
  const config = { cniVersion: "1.0.0", name: "virtio", type: "virtfn", deviceID, ...settings };
  return formatCall({ command, config, ...pod, ifName: "net1" });
}

async function run(...scripts: readonly string[]): Promise<readonly ScriptResult[]> {
  return await runScripts(lab.node, scripts, view);
}

function addressOf(index: number): string {
  return `192.0.2.${index + 1}`;
}

async function readVectors(): Promise<readonly VirtioVector[]> {
  return await readVirtioVectors(lab.node, vfs);
}

/** CPUs of rps_cpus or xps_cpus of each queue, by the queue's name: what the kernel shows in the pod. */
async function readMasks(pod: string): Promise<Readonly<Record<string, readonly number[]>>> {
  const lines = await lab.node.run(
    `ip netns exec ${pod} sh -c 'grep -H . /sys/class/net/net1/queues/*/[rx]ps_cpus'`,
  );
  const masks = lines.split("\n").map((line) => {
    const [, queue = "", mask = ""] = /([rt]x-\d+)\/[rx]ps_cpus:(.*)$/.exec(line) ?? [];
    return [queue, parseCpuMask(mask)] as const;
  });
  return Object.fromEntries(masks);
}

async function report(...options: readonly string[]): Promise<string> {
  return await lab.node.run(["virtfn tuning --once --dry-run", ...options].join(" "));
}

/** What the report says of them, a line for each. Throws while there are fewer than two. */
async function readContested(): Promise<readonly string[]> {
  const contested = (await report()).split("\n").filter((line) => line.includes("CONTESTED"));
  if (contested.length < 2) throw new Error(`${contested.length} contested`);
  return contested;
}

/** What the pod's program may do with CAP_NET_ADMIN; gives the CPUs that the driver asked for at that, as masks. */
async function setChannels(pod: BarePod, pairs: number): Promise<readonly string[]> {
  await lab.node.run(`ip netns exec ${pod.name} ethtool -L net1 combined ${pairs}`);
  const vf = vfs.filter((_, index) => pods[index] === pod);
  return (await readVirtioVectors(lab.node, vf)).map(({ hint }) => hint);
}

/** Each pod pings the next. */
async function exchange(packets: number): Promise<void> {
  const pings = pods.map(
    ({ name }, index) =>
      `ip netns exec ${name} ping -n -q -c ${packets} -i 0.02 -w 20 ${addressOf((index + 1) % pods.length)} >/dev/null &`,
  );
  await lab.node.run(`${pings.join("\n")} wait`);
}

function pinsOf(vectors: readonly VirtioVector[]): readonly string[] {
  return vectors.map(({ irq, cpus }) => `${irq} ${cpus}`);
}

function pinnedOf(vectors: readonly VirtioVector[]): readonly VirtioVector[] {
  return vectors.filter((vector) => isQueue(vector) && /^[01]$/.test(vector.cpus));
}

async function expectBalance(): Promise<void> {
  const pinned = pinnedOf(await readVectors());
  const [on0 = 0, on1 = 0] = ["0", "1"].map((cpu) => pinned.filter(({ cpus }) => cpus === cpu).length);
  if (pinned.length < 8 || Math.abs(on0 - on1) > 2) throw new Error(formatSpread(pinned));
}

async function waitForPins(vf: number): Promise<void> {
  const look = async (): Promise<void> => {
    const vectors = await readVirtioVectors(lab.node, vfs.slice(vf, vf + 1));
    if (pinnedOf(vectors).length !== 4) throw new Error(formatSpread(vectors));
  };
  await waitUntil("the pins", look, { timeoutMs: repairedWithinMs });
}

/** Of one VF, or of all. */
async function waitForSpreadOf(vf: number | undefined, expected: string): Promise<string> {
  const of = vf === undefined ? vfs : vfs.slice(vf, vf + 1);
  const look = async (): Promise<string> => {
    const spread = formatSpread(await readVirtioVectors(lab.node, of));
    if (spread !== expected) throw new Error(spread);
    return spread;
  };
  return await waitUntil(`the spread ${expected}`, look, { timeoutMs: 40_000, intervalMs: 500 });
}
