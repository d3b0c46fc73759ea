// The main job, step by step, each asserting what it shows.
import { isReady, isUnschedulable, waitForPods } from "../cluster/wait-for.ts";
import { waitUntil } from "../wait-until.ts";
import type { DemoLab, DemoStep } from "./demo-lab.ts";
import { installVirtfn } from "./install.ts";
import { assertTuned, formatPodVfs, type PodVf, readPodVfs } from "./pod-vfs.ts";
import { applyPods, deletePods, showPods, startPods, type WantedPods } from "./pods.ts";
import { openNewVfs, readVfState, waitForVfState } from "./vf-state.ts";

/** VFs that the demo's node makes at boot, on its first PF. */
export const demoVfs = 7;

/** Steps in their order; later ones rely on what earlier ones left. */
export function createDemoSteps(lab: DemoLab): readonly DemoStep[] {
  const before = Promise.withResolvers<string>();
  return [
    {
      title: "the VFs before any pod",
      run: async () => {
        await openNewVfs(lab.node);
        const state = await readVfState(lab.node);
        before.resolve(state);
        return `noted: names, MAC addresses, masks and affinity of ${state.split("\n").filter(isPciAddress).length} VFs`;
      },
    },
    {
      title: "kubectl apply -k deploy/kustomize/overlays/lab",
      run: () => installVirtfn(lab.kubectl, demoVfs),
    },
    { title: "two pods with one VF each ping each other over their VFs", run: () => pingOverVfs(lab) },
    {
      title: "both deleted",
      run: async () => {
        await deletePods(lab, ["left", "right"]);
        return "";
      },
    },
    { title: "eight pods for seven VFs: one waits until another is deleted", run: () => fillTheNode(lab) },
    { title: "a pod with two VFs has net1 and net2", run: () => startPodWithTwoVfs(lab) },
    { title: "a pod that asks for none starts as before", run: () => startPodWithout(lab) },
    {
      title: "every VF is as it was before",
      run: async () => {
        await waitForVfState(lab.node, await before.promise);
        return "names, MAC addresses, masks, affinity and the PF's settings: all the same";
      },
    },
  ];
}

async function pingOverVfs(lab: DemoLab): Promise<string> {
  await startPods(lab, { left: 1, right: 1 });
  const vfs = await waitForTuned(lab, ["left", "right"]);
  const [left, right, ...more] = vfs;
  if (left?.pod !== "left" || right?.pod !== "right" || more.length > 0)
    throw new Error(`expected one VF each, got\n${formatPodVfs(vfs)}`);
  const pings = [await ping(lab, left, right), await ping(lab, right, left)];
  const link = await lab.kubectl.execInPod({ pod: "left" }, ["ip", "-d", "link", "show", left.name]);
  return [...pings, link, formatPodVfs(vfs)].join("\n");
}

/** The pods' VFs as soon as tuning has placed their interrupts, which it does after the pods have started. */
async function waitForTuned(lab: DemoLab, pods: readonly string[]): Promise<readonly PodVf[]> {
  const look = async (): Promise<readonly PodVf[]> => {
    const vfs = await readPodVfs(lab, pods);
    assertTuned(vfs);
    return vfs;
  };
  return await waitUntil("interrupts and RPS masks in place", look, { timeoutMs: 20_000 });
}

/** The summary line of a ping from one pod's VF to the other's. The VF may have carrier only some seconds after the pod's start. */
async function ping({ kubectl }: DemoLab, from: PodVf, to: PodVf): Promise<string> {
  if (to.address === undefined) throw new Error(`pod ${to.pod}: ${to.name} has no address`);
  const command = ["ping", "-c", "3", "-W", "2", "-I", from.name, to.address];
  const output = await waitUntil(
    `ping from ${from.pod} to ${to.pod}`,
    () => kubectl.execInPod({ pod: from.pod }, command),
    { timeoutMs: 30_000 },
  );
  return `${from.pod}: ping -I ${from.name} ${to.address}: ${output.split("\n").find((line) => line.includes("packet loss")) ?? output}`;
}

async function fillTheNode(lab: DemoLab): Promise<string> {
  const names = Array.from({ length: demoVfs + 1 }, (_, index) => `many-${index + 1}`);
  await applyPods(lab, Object.fromEntries(names.map((name) => [name, 1])) satisfies WantedPods);
  const insufficient = isUnschedulable("Insufficient sriov/vf");
  const wait = { timeoutMs: 300_000 };
  const settled = await waitForPods(lab.kubectl, names, (pod) => isReady(pod) || insufficient(pod), wait);
  const running = settled.filter(isReady).map((pod) => pod.metadata.name);
  const waiting = settled.filter(insufficient).map((pod) => pod.metadata.name);
  if (waiting.length !== 1)
    throw new Error(
      `expected ${demoVfs} pods running and 1 waiting, got ${running.length} and ${waiting.length}`,
    );
  const vfs = await readPodVfs(lab, running);
  if (new Set(vfs.map((vf) => vf.pciAddress)).size !== demoVfs)
    throw new Error(`expected ${demoVfs} VFs, each in one pod, got\n${formatPodVfs(vfs)}`);
  const shown = await showPods(lab, names);
  await deletePods(lab, running.slice(0, 1));
  await waitForPods(lab.kubectl, waiting, isReady, wait);
  await deletePods(lab, names);
  return [shown, formatPodVfs(vfs), `${running[0] ?? ""} deleted: ${waiting[0] ?? ""} runs`].join("\n");
}

async function startPodWithTwoVfs(lab: DemoLab): Promise<string> {
  await startPods(lab, { two: 2 });
  const vfs = await readPodVfs(lab, ["two"]);
  const names = vfs
    .map((vf) => vf.name)
    .toSorted()
    .join(" ");
  if (names !== "net1 net2") throw new Error(`expected net1 net2, got ${names}`);
  await deletePods(lab, ["two"]);
  return formatPodVfs(vfs);
}

async function startPodWithout(lab: DemoLab): Promise<string> {
  await startPods(lab, { plain: 0 });
  const links = await lab.kubectl.execInPod({ pod: "plain" }, ["ip", "-br", "address"]);
  const names = links
    .split("\n")
    .map((line) => line.split(/[@\s]/)[0])
    .join(" ");
  if (names !== "lo eth0") throw new Error(`expected interfaces lo eth0, got ${names}`);
  await deletePods(lab, ["plain"]);
  return links;
}

function isPciAddress(line: string): boolean {
  return /^[0-9a-f]{4}:/.test(line);
}
