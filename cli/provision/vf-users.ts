// Who uses VFs: records, namespaces, the node itself, programs with a VFIO group, and the kubelet's pods. What cannot be told counts as used.

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { type Checkpoint, readCheckpoint } from "../../kubelet/checkpoint.ts";
import { CheckpointError } from "../../kubelet/errors.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { readAttachments } from "../../sriov/attachment-store.ts";
import { isOfThisBoot } from "../../sriov/attachment.ts";
import type { VfUse } from "../../sriov/errors.ts";
import { isNetworkVf, type PhysicalFunction, readInventory } from "../../sriov/inventory.ts";
import { readNodeUse } from "../../sriov/node-use.ts";
import { isPciAddress, type PciAddress } from "../../sriov/pci-address.ts";
import { findVfioHolders } from "./vfio-holders.ts";

export type UserEyes = Pick<Host, "files" | "paths" | "clock" | "openNetlink">;

/** Each use of one of `vfs`. `pods` are the kubelet's, `undefined` when it cannot be asked: then its checkpoint alone counts. */
export function findVfUsers(
  host: UserEyes,
  { vfs }: Pick<PhysicalFunction, "vfs">,
  pods: readonly PodAllocation[] | undefined,
): readonly VfUse[] {
  const inventory = readInventory(host);
  const asked = new Set(vfs);
  const own = [...inventory.vfs.values()].filter(({ address }) => asked.has(address));
  const away = own.filter((vf) => isNetworkVf(vf) && vf.netdevs.length === 0);
  const ofNode = [...readNodeUse(host, inventory)].filter(([address]) => asked.has(address));
  const uses: readonly VfUse[] = [
    ...findRecords(host, asked),
    ...away.map(({ address }) =>
      useOf(address, `the interface of ${address} is in another network namespace`),
    ),
    ...ofNode.map(([address, reason]) => useOf(address, `the node has ${address}: ${reason}`)),
    ...findVfioHolders(host, own),
    ...findAllocated(host, asked, pods),
  ];
  return uses.filter(({ text }, at) => uses.findIndex((use) => use.text === text) === at);
}

function useOf(vf: PciAddress, text: string): VfUse {
  return { vf, text };
}

function findRecords(host: UserEyes, vfs: ReadonlySet<PciAddress>): readonly VfUse[] {
  const { records, unreadable } = readAttachments(host);
  const bootId = host.clock.bootId();
  const live = records.filter((record) => vfs.has(record.device.address) && isOfThisBoot(record, bootId));
  return [
    ...live.map(({ device: { address }, owner: { pod, containerId } }) => {
      const who = pod === undefined ? `container ${containerId}` : `pod ${pod.namespace}/${pod.name}`;
      return useOf(address, `${who} has ${address}`);
    }),
    ...unreadable
      .filter(({ address }) => vfs.has(address))
      .map(({ address, path }) => useOf(address, `a record that cannot be read has ${address} (${path})`)),
  ];
}

// The checkpoint keeps deleted pods for a while; what the kubelet still lists for the same resource is in use.
function findAllocated(
  host: UserEyes,
  vfs: ReadonlySet<PciAddress>,
  pods: readonly PodAllocation[] | undefined,
): readonly VfUse[] {
  const checkpoint = readCheckpointOrProblem(host);
  if (typeof checkpoint === "string") return [{ vf: undefined, text: checkpoint }];
  const entries = [...(checkpoint?.pods ?? [])].flatMap(([uid, containers]) =>
    [...containers.values()].flatMap((devices) =>
      [...devices].flatMap(([resource, ids]) =>
        ids.filter(isPciAddress).map((id) => ({ uid, resource, id })),
      ),
    ),
  );
  return entries
    .filter(({ id }) => vfs.has(id))
    .flatMap(({ uid, resource, id }) => {
      if (pods === undefined)
        return [useOf(id, `a pod has ${id} of ${resource} (UID ${uid}; the kubelet does not tell its name)`)];
      const pod = pods.find(({ containers }) =>
        containers.some(({ devices }) => devices.get(resource)?.includes(id)),
      );
      return pod === undefined ? [] : [useOf(id, `pod ${pod.namespace}/${pod.name} has ${id}`)];
    });
}

function readCheckpointOrProblem(host: UserEyes): Checkpoint | undefined | string {
  try {
    return readCheckpoint(host);
  } catch (error) {
    if (!(error instanceof CheckpointError || error instanceof HostError)) throw error;
    return `the kubelet's pods cannot be told: ${error.message}`;
  }
}
