// What the kubelet may hand out, as its PodResources API says it.
import type { ForwardedPodResources } from "../cluster/pod-resources.ts";
import { resource } from "../demo/manifests.ts";
import { waitUntil } from "../wait-until.ts";

/** Waits until GetAllocatableResources lists `count` of `sriov/vf`; gives the milliseconds that took. */
export async function waitForAllocatable(
  forwarded: ForwardedPodResources,
  count: number,
  timeoutMs: number,
): Promise<number> {
  const startMs = performance.now();
  const look = async (): Promise<void> => {
    using client = forwarded.connect();
    const { devices } = await client.getAllocatable();
    const got = devices.get(resource)?.length ?? 0;
    if (got !== count) throw new Error(`${got} ${resource} allocatable`);
  };
  await waitUntil(`${count} ${resource} in PodResources`, look, { timeoutMs });
  return performance.now() - startMs;
}
