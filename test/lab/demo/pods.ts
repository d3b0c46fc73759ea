// What the demo's steps do with pods: start some at once, wait for them, take them away.
import { isReady, type Pod, waitForNoPods, waitForPods } from "../cluster/wait-for.ts";
import type { DemoLab } from "./demo-lab.ts";
import { vfPod } from "./manifests.ts";

/** A pod start under emulation: a few seconds each, and some more when eight start at once. */
const startTimeoutMs = 120_000;

/** Pods by name with the number of VFs each asks for. */
export type WantedPods = Readonly<Record<string, number>>;

export async function applyPods({ kubectl, toolsImage }: DemoLab, wanted: WantedPods): Promise<void> {
  await kubectl.apply(Object.entries(wanted).map(([name, vfs]) => vfPod({ name, vfs, image: toolsImage })));
}

/** Starts pods and gives them as they are once all are ready. */
export async function startPods(lab: DemoLab, wanted: WantedPods): Promise<readonly Pod[]> {
  await applyPods(lab, wanted);
  return await waitForReadyPods(lab, Object.keys(wanted));
}

export async function waitForReadyPods(
  { kubectl }: DemoLab,
  names: readonly string[],
): Promise<readonly Pod[]> {
  return await waitForPods(kubectl, names, isReady, { timeoutMs: startTimeoutMs });
}

/** Deletes pods and waits until their objects are gone. */
export async function deletePods({ kubectl }: DemoLab, names: readonly string[]): Promise<void> {
  await kubectl.run(["delete", "pod", "--wait=false", "--ignore-not-found", ...names]);
  await waitForNoPods(kubectl, names, { timeoutMs: startTimeoutMs });
}

/** The line of `kubectl get pod` that a user would look at. */
export async function showPods({ kubectl }: DemoLab, names: readonly string[]): Promise<string> {
  return await kubectl.run(["get", "pod", ...names]);
}
