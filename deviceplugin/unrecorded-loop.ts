// Asks the kubelet now and then which pods have VFs, and counts those that no record knows.
import type { DaemonContext } from "../host/daemon.ts";
import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { PodResources } from "../kubelet/pod-resources.ts";
import { isNetworkDevice, readVfBasics } from "../sriov/inventory.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { findUnrecorded, type UnrecordedDevice } from "../sriov/unrecorded-pods.ts";
import type { DevicePluginMetrics } from "./metrics.ts";
import { readLiveRecords } from "./node-facts.ts";

/** Between two looks. */
export const lookEveryMs = 30_000;

/** A pod that starts has its device before its record, one that ends the other way round. */
const settleMs = 60_000;

const kubeletTimeoutMs = 2_000;

type Node = Pick<Host, "files" | "paths" | "clock">;
/** Where the resources come from, and where what was found goes. */
export type UnrecordedSink = Pick<DevicePluginMetrics, "resources" | "setUnrecorded">;

/** Runs until the signal. A kubelet that cannot be asked leaves the count as it was. */
export async function followUnrecordedPods(
  host: Node,
  metrics: UnrecordedSink,
  { signal, log }: DaemonContext,
): Promise<void> {
  let since: ReadonlyMap<string, number> = new Map();
  let said: ReadonlySet<string> = new Set();
  while (!signal.aborted) {
    const found = await attemptLook(host, metrics.resources(), signal);
    if (found !== undefined) {
      const nowMs = host.clock.monotonicMs();
      since = new Map(found.map((one) => [keyOf(one), since.get(keyOf(one)) ?? nowMs]));
      const settled = found.filter((one) => nowMs - (since.get(keyOf(one)) ?? nowMs) >= settleMs);
      for (const one of settled) if (!said.has(keyOf(one))) warn(log, one);
      said = new Set(settled.map(keyOf));
      metrics.setUnrecorded(settled);
    }
    await pause(host, signal);
  }
}

function keyOf({ namespace, pod, address }: UnrecordedDevice): string {
  return `${namespace}/${pod} ${address}`;
}

function warn(log: DaemonContext["log"], { address, ...where }: UnrecordedDevice): void {
  log.warn({ ...where, pciAddress: address }, "a pod has a VF by the kubelet, and no record knows it");
}

async function attemptLook(
  host: Node,
  resources: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly UnrecordedDevice[] | undefined> {
  try {
    if (host.files.stat(host.paths.kubelet.podResourcesSocket)?.kind !== "socket") return undefined;
    using kubelet = new PodResources(host, { timeoutMs: kubeletTimeoutMs, signal });
    const pods = await kubelet.list();
    const records = readLiveRecords(host).values();
    return findUnrecorded(pods, resources, { records, isAttachable: (vf) => isAttachable(host, vf) });
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

/** One that is gone may have been. */
function isAttachable(host: Node, address: PciAddress): boolean {
  const vf = readVfBasics(host, address);
  return vf === undefined || isNetworkDevice(vf);
}

async function pause(host: Pick<Host, "clock">, signal: AbortSignal): Promise<void> {
  try {
    await host.clock.sleep(lookEveryMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
