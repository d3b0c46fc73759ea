// 14 VFs of two PFs in namespaces: their queues' interrupts are spread evenly over the CPUs of each NUMA node, also while CPUs and links come and go.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNewVfs, readVfState, waitForVfState } from "../demo/vf-state.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts } from "../support/node-scripts.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { node } = lab;
const at = ["10.0", "10.2", "10.4", "10.6", "11.0", "11.2", "11.4"];
/** PFs by their bus; the first is on NUMA node 0 (CPUs 0-1), the second on 1 (2-3). */
const vfs = ["21", "41"].flatMap((bus) => at.map((device) => `0000:${bus}:${device}`));
const pods = vfs.map((_, index) => barePod(`spread-${index}`));
const allocated = Object.fromEntries(pods.map(({ uid }, index) => [uid, vfs.slice(index, index + 1)]));
const view = { hasOwnMounts: true, prelude: mountKubeletView(vfs, allocated), timeoutMs: 240_000 };
let before = "";

/** Queue interrupts by CPU. */
const even = "0: 7, 1: 7, 2: 7, 3: 7";
const withoutCpu3 = "0: 7, 1: 7, 2: 14";
/** By the kernel's event: the daemon looks by itself each 30 s only. */
const followedWithinMs = 15_000;

interface Vector {
  readonly vf: string;
  readonly irq: number;
  /** As smp_affinity_list has it. */
  readonly cpus: string;
  /** How often it came, by CPU. */
  readonly counts: readonly number[];
}

beforeAll(async () => {
  await node.run("ip link set ens2 up; echo 7 >/sys/class/net/ens2/device/sriov_numvfs; udevadm settle");
  await openNewVfs(node);
  before = await readVfState(node);
  await makeNamespaces(node, pods);
  const added = await runScripts(
    node,
    pods.map((pod, index) => call("ADD", pod, index)),
    view,
  );
  for (const result of added) readAdded(result);
});

afterAll(async () => {
  await node.run("echo 1 >/sys/devices/system/cpu/cpu3/online");
  await removePods(node, pods);
  await waitForVfState(node, before);
  await node.run("echo 0 >/sys/class/net/ens2/device/sriov_numvfs; ip link set ens2 down");
});

test("each queue's interrupt is on one CPU of its node, and each CPU has as many", async () => {
  expect(await waitForSpread(even)).toBe(even);
});

test("traffic comes up on the pinned CPUs and no other", async ({ annotate }) => {
  // Without interrupt remapping the kernel moves an interrupt when it comes next, so that one more comes on the CPU before.
  await exchange(2);
  const earlier = await readVectors();
  await exchange(40);
  const came = (await readVectors()).map(({ vf, irq, cpus, counts }, index) => ({
    vector: `${vf} ${irq}`,
    cpus,
    more: counts.map((count, cpu) => count - (earlier[index]?.counts[cpu] ?? 0)),
  }));
  const perCpu = [0, 1, 2, 3].map((cpu) => came.reduce((sum, { more }) => sum + (more[cpu] ?? 0), 0));
  await annotate(`interrupts by CPU: ${perCpu.join(" ")}`);
  const astray = came.filter(({ cpus, more }) =>
    more.some((count, cpu) => count > 0 && String(cpu) !== cpus),
  );
  expect(astray).toEqual([]);
  expect(Math.min(...perCpu)).toBeGreaterThan(100);
  // As many pings go through each VF.
  expect(Math.max(...perCpu) / Math.min(...perCpu)).toBeLessThan(2);
});

test("a CPU goes offline: its interrupts go to the other of its node; it comes back, and so does the balance", async () => {
  await node.run("echo 0 >/sys/devices/system/cpu/cpu3/online");
  expect(await waitForSpread(withoutCpu3, followedWithinMs)).toBe(withoutCpu3);
  await node.run("echo 1 >/sys/devices/system/cpu/cpu3/online");
  expect(await waitForSpread(even, followedWithinMs)).toBe(even);
});

test("an interface that goes down and up keeps its pins", async () => {
  const pinned = await readVectors();
  await node.run(
    pods
      .slice(0, 2)
      .map(({ name }) => `ip -n ${name} link set net1 down; ip -n ${name} link set net1 up`)
      .join("\n"),
  );
  expect(await waitForPins(pinned, 20_000)).toEqual(pinsOf(pinned));
});

test("a pin changed by hand is back within 5 s", async ({ annotate }) => {
  const pinned = await readVectors();
  await node.run(`echo 0-3 >/proc/irq/${pinned[0]?.irq}/smp_affinity_list`);
  const startMs = performance.now();
  expect(await waitForPins(pinned, 5_000)).toEqual(pinsOf(pinned));
  await annotate(`back after ${Math.round(performance.now() - startMs)} ms`);
});

/** Each pod pings the next one of its PF. */
async function exchange(packets: number): Promise<void> {
  const pings = [0, 7].flatMap((first) =>
    at.map((_, index) => {
      const [from, to] = [first + index, first + ((index + 1) % at.length)];
      return `ip netns exec ${pods[from]?.name} ping -n -q -c ${packets} -i 0.02 -w 10 ${addressOf(to)} >/dev/null &`;
    }),
  );
  await node.run(`${pings.join("\n")} wait`);
}

function call(command: string, pod: BarePod, index: number): string {
  const config = {
    cniVersion: "1.0.0",
    name: "spread",
    type: "virtfn",
    deviceID: vfs[index],
    ips: [`${addressOf(index)}/24`],
  };
  return formatCall({ command, config, ...pod, ifName: "net1" });
}

function addressOf(index: number): string {
  return `192.0.2.${index + 1}`;
}

/** Waits until the pins are these, and gives them. */
async function waitForPins(pinned: readonly Vector[], timeoutMs: number): Promise<readonly string[]> {
  const expected = pinsOf(pinned);
  const look = async (): Promise<readonly string[]> => {
    const pins = pinsOf(await readVectors());
    if (pins.join() !== expected.join()) throw new Error(pins.join(", "));
    return pins;
  };
  return await waitUntil("the pins", look, { timeoutMs });
}

/** Waits until the spread is the expected one, and gives it. */
async function waitForSpread(expected: string, timeoutMs = 40_000): Promise<string> {
  const look = async (): Promise<string> => {
    const byCpu = Map.groupBy(await readVectors(), ({ cpus }) => cpus);
    const spread = [...byCpu]
      .map(([cpus, all]) => `${cpus}: ${all.length}`)
      .toSorted()
      .join(", ");
    if (spread !== expected) throw new Error(spread);
    return spread;
  };
  return await waitUntil("an even spread", look, { timeoutMs, intervalMs: 500 });
}

function pinsOf(vectors: readonly Vector[]): readonly string[] {
  return vectors.map(({ irq, cpus }) => `${irq} ${cpus}`);
}

/** The vectors of queues (igbvf names them net1-tx-0 and net1-rx-0), by their numbers. */
async function readVectors(): Promise<readonly Vector[]> {
  // Builtins only: under emulation a process takes 50 ms.
  const lines = await node.run(`declare -A of; read -r online </sys/devices/system/cpu/online
    for vf in ${vfs.join(" ")}; do
      for irq in /sys/bus/pci/devices/$vf/msi_irqs/*; do of[\${irq##*/}]=$vf; done
    done
    while read -r irq rest; do
      irq=\${irq%:}; [[ "$rest" == *-[rt]x-* && -n "\${of[$irq]-}" ]] || continue
      read -r cpus </proc/irq/$irq/smp_affinity_list
      echo "\${of[$irq]} $irq $cpus $online $rest"
    done </proc/interrupts`);
  return lines.split("\n").map((line) => {
    const [vf = "", irq = "", cpus = "", online = "", ...counts] = line.trim().split(/\s+/);
    const columns = online === "0-3" ? 4 : 3;
    return { vf, irq: Number(irq), cpus, counts: counts.slice(0, columns).map(Number) };
  });
}
