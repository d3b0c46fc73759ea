// Pods of Deployments, which are made again when they end: the new ones, and that what is on the disk is theirs alone.
import { expect } from "vitest";
import { isReady, type Pod } from "../cluster/wait-for.ts";
import type { DemoLab } from "../demo/demo-lab.ts";
import { readPodVfs } from "../demo/pod-vfs.ts";
import { waitUntil } from "../wait-until.ts";
import { type Leftovers, readLeftovers } from "./node-leftovers.ts";

interface PodOwner {
  readonly owner: { readonly containerId: string; readonly pod: { readonly uid: string } };
}

/** All pods of these Deployments, ended ones too. */
export async function listDeploymentPods(
  { kubectl }: Pick<DemoLab, "kubectl">,
  names: readonly string[],
): Promise<readonly Pod[]> {
  const selector = `app in (${names.join(",")})`;
  const { items } = await kubectl.getJson<{ readonly items: readonly Pod[] }>(["get", "pod", "-l", selector]);
  return items;
}

/** The ready pods of these Deployments once there are `wanted` that are not among `before`, each with one VF inside. */
export async function waitForFreshPods(
  lab: DemoLab,
  names: readonly string[],
  {
    wanted,
    before,
    timeoutMs,
  }: { readonly wanted: number; readonly before: readonly Pod[]; readonly timeoutMs: number },
): Promise<readonly Pod[]> {
  const oldUids = new Set(before.map((pod) => pod.metadata.uid));
  const look = async (): Promise<readonly Pod[]> => {
    const items = await listDeploymentPods(lab, names);
    const ready = items.filter(
      (pod) => isReady(pod) && !oldUids.has(pod.metadata.uid) && pod.metadata.deletionTimestamp === undefined,
    );
    if (ready.length !== wanted)
      throw new Error(
        items.map((pod) => `${pod.metadata.name} ${pod.status.phase} ${pod.status.reason ?? ""}`).join(", "),
      );
    const vfs = await readPodVfs(
      lab,
      ready.map((pod) => pod.metadata.name),
    );
    if (vfs.length !== wanted) throw new Error(`${ready.length} pods have ${vfs.length} VFs`);
    return ready;
  };
  return await waitUntil(`${wanted} new pods of ${names.join(" ")}`, look, { timeoutMs, intervalMs: 2000 });
}

/** The records, and the leases that are not empty, once they are those of `pods` and of nobody else. */
export async function waitForOwners(
  { node }: Pick<DemoLab, "node">,
  pods: readonly Pod[],
): Promise<Leftovers> {
  const uids = pods.map((pod) => pod.metadata.uid).toSorted();
  const look = async (): Promise<Leftovers> => {
    const left = await readLeftovers(node);
    const records = left.records.map(({ text }) => JSON.parse(text) as PodOwner);
    expect(records.map((record) => record.owner.pod.uid).toSorted()).toEqual(uids);
    const leases = left.leases
      .filter(({ text }) => text !== "")
      .map(({ text }) => text.split(/\r?\n/)[0] ?? "");
    expect(leases.toSorted()).toEqual(records.map((record) => record.owner.containerId).toSorted());
    return left;
  };
  const options = { timeoutMs: 120_000, intervalMs: 2000 };
  return await waitUntil("records and leases of the new pods only", look, options);
}
