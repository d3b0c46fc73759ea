// Which VFs the kubelet gave to a pod, in the order in which they become net1, net2, ...

import type { Host } from "../host/host.ts";
import type { Checkpoint } from "../kubelet/checkpoint.ts";
import { listHolders } from "../kubelet/device-holders.ts";
import { comparePciAddress, parsePciAddress, type PciAddress } from "../sriov/pci-address.ts";
import { mayBeVf } from "../sriov/pci-device.ts";
import type { CniConfig } from "./config.ts";
import { NotAllocatedError } from "./errors.ts";

/**
 * The pod's devices of `resource`, each once: init containers' devices are used again by later containers. Ordered by container
 * name, then PCI address. Throws ERR_PCI_ADDRESS for a device of that resource which is no PCI address.
 */
export function listPodDevices(
  facts: Checkpoint | undefined,
  uid: string,
  resource: string,
): readonly PciAddress[] {
  const containers = [...(facts?.pods.get(uid) ?? [])].toSorted(([a], [b]) => compareText(a, b));
  const addresses = containers.flatMap(([, devices]) =>
    (devices.get(resource) ?? []).map((id) => parsePciAddress(id)).toSorted(comparePciAddress),
  );
  return [...new Set(addresses)];
}

/** Whether the kubelet gave the pod anything that can be a VF: a device of the networks' resources, or one that nothing tells to be another. */
export function mayHaveVf(
  host: Pick<Host, "files" | "paths">,
  facts: Checkpoint | undefined,
  uid: string,
  { networks }: Pick<CniConfig, "networks">,
): boolean {
  const resources = new Set(networks.map(({ resource }) => resource));
  const given = [...(facts?.pods.get(uid)?.values() ?? [])].flatMap((devices) => Array.from(devices));
  return given.some(([resource, ids]) => resources.has(resource) || ids.some((id) => mayBeVf(host, id)));
}

/**
 * Who chose the VF. Throws ERR_NOT_ALLOCATED when it is one of `handedOut` (handed-out.ts) and the kubelet did not give it to this
 * pod: a device in a configuration that someone else wrote must not take another pod's VF.
 */
export function judgeChoice(
  facts: Checkpoint | undefined,
  uid: string | undefined,
  address: PciAddress,
  handedOut: ReadonlyMap<string, string>,
): "kubelet" | "cni" {
  if (listHolders(facts, address).some((holder) => holder === uid)) return "kubelet";
  const reason = handedOut.get(address);
  if (reason === undefined) return "cni";
  const who = uid === undefined ? "this pod (CNI_ARGS has no K8S_POD_UID)" : `the pod with UID ${uid}`;
  throw new NotAllocatedError(
    `refusing to give ${address} to ${who}: ${reason}, and it was not allocated to that pod`,
  );
}

/** The resource that the kubelet gave the device to the pod as; undefined for a device that is none of its own. */
export function findResource(
  facts: Checkpoint | undefined,
  uid: string | undefined,
  address: PciAddress,
): string | undefined {
  const containers = uid === undefined ? undefined : facts?.pods.get(uid);
  for (const devices of containers?.values() ?? [])
    for (const [resource, ids] of devices) if (ids.includes(address)) return resource;
  return undefined;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
