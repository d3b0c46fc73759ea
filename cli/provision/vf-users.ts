// Who uses the VFs of a PF: records, namespaces, the node itself, and the kubelet's pods. What cannot be told counts as used.

import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { type Checkpoint, readCheckpoint } from "../../kubelet/checkpoint.ts";
import { CheckpointError } from "../../kubelet/errors.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { readAttachments } from "../../sriov/attachment-store.ts";
import { isOfThisBoot } from "../../sriov/attachment.ts";
import { isNetworkVf, type PhysicalFunction, readInventory } from "../../sriov/inventory.ts";
import { findNodeUse } from "../../sriov/node-use.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";

export type UserEyes = Pick<Host, "files" | "paths" | "clock" | "openNetlink">;

/** A line for each use of a VF. `pods` are the kubelet's, `undefined` when it cannot be asked: then its checkpoint alone counts. */
export function findVfUsers(
  host: UserEyes,
  { vfs }: Pick<PhysicalFunction, "vfs">,
  pods: readonly PodAllocation[] | undefined,
): readonly string[] {
  const ofPf = new Set(vfs);
  return [
    ...new Set([
      ...findRecords(host, ofPf),
      ...findAway(host, ofPf),
      ...findOfNode(host, ofPf),
      ...findAllocated(host, ofPf, pods),
    ]),
  ];
}

function findRecords(host: UserEyes, vfs: ReadonlySet<PciAddress>): readonly string[] {
  const { records, unreadable } = readAttachments(host);
  const bootId = host.clock.bootId();
  const live = records.filter((record) => vfs.has(record.device.address) && isOfThisBoot(record, bootId));
  return [
    ...live.map(({ device, owner }) => {
      const { pod, containerId } = owner;
      const who = pod === undefined ? `container ${containerId}` : `pod ${pod.namespace}/${pod.name}`;
      return `${who} has ${device.address}`;
    }),
    ...unreadable
      .filter(({ address }) => vfs.has(address))
      .map(({ address, path }) => `a record that cannot be read has ${address} (${path})`),
  ];
}

function findAway(host: UserEyes, vfs: ReadonlySet<PciAddress>): readonly string[] {
  const all = [...readInventory(host).vfs.values()].filter(({ address }) => vfs.has(address));
  return all
    .filter((vf) => isNetworkVf(vf) && vf.netdevs.length === 0)
    .map(({ address }) => `the interface of ${address} is in another network namespace`);
}

function findOfNode(host: UserEyes, vfs: ReadonlySet<PciAddress>): readonly string[] {
  using netlink = host.openNetlink();
  const network = {
    links: netlink.listLinks(),
    addresses: netlink.listAddresses(),
    routes: netlink.listRoutes(),
  };
  const uses = [...findNodeUse(readInventory(host), network)];
  return uses
    .filter(([address]) => vfs.has(address))
    .map(([address, reason]) => `the node has ${address}: ${reason}`);
}

// The checkpoint keeps deleted pods for a while; what the kubelet still lists for the same resource is in use.
function findAllocated(
  host: UserEyes,
  vfs: ReadonlySet<string>,
  pods: readonly PodAllocation[] | undefined,
): readonly string[] {
  const checkpoint = readCheckpointOrProblem(host);
  if (typeof checkpoint === "string") return [checkpoint];
  const entries = [...(checkpoint?.pods ?? [])].flatMap(([uid, containers]) =>
    [...containers.values()].flatMap((devices) =>
      [...devices].flatMap(([resource, ids]) => ids.map((id) => ({ uid, resource, id }))),
    ),
  );
  return entries
    .filter(({ id }) => vfs.has(id))
    .flatMap(({ uid, resource, id }) => {
      if (pods === undefined)
        return [`a pod has ${id} of ${resource} (UID ${uid}; the kubelet does not tell its name)`];
      const pod = pods.find(({ containers }) =>
        containers.some(({ devices }) => devices.get(resource)?.includes(id)),
      );
      return pod === undefined ? [] : [`pod ${pod.namespace}/${pod.name} has ${id}`];
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
