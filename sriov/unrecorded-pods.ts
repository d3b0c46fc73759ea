// Pods that the kubelet gave VFs to, and that no record knows: nothing attached what they were promised.

import type { Attachment } from "./attachment.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";

/** A pod and its devices, as the kubelet's PodResources tell. */
export interface PodDevices {
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly { readonly devices: ReadonlyMap<string, readonly string[]> }[];
}

export interface UnrecordedDevice {
  readonly namespace: string;
  readonly pod: string;
  readonly resource: string;
  readonly address: PciAddress;
}

/** What is known of records (those of this boot), and of the devices that the CNI plugin attaches. */
export interface AttachedFacts {
  readonly records: Iterable<Pick<Attachment, "device" | "owner">>;
  /** False of one that no record is due of: an accelerator. */
  readonly isAttachable: (address: PciAddress) => boolean;
}

/**
 * The devices of `resources` that pods have and that no record says so of; each once. A pod that starts or ends is among them
 * for a moment, and so is a finished one while an older kubelet (before 1.34) lists it.
 */
export function findUnrecorded(
  pods: readonly PodDevices[],
  resources: ReadonlySet<string>,
  { records, isAttachable }: AttachedFacts,
): readonly UnrecordedDevice[] {
  const owners = new Map([...records].map(({ device, owner }) => [device.address, owner] as const));
  const found = pods.flatMap(({ namespace, name, containers }) =>
    containers.flatMap(({ devices }) =>
      [...devices].flatMap(([resource, ids]) => {
        const own = resources.has(resource) ? ids.filter(isPciAddress) : [];
        return own
          .filter((address) => !isOwner(owners.get(address), namespace, name) && isAttachable(address))
          .map((address) => ({ namespace, pod: name, resource, address }));
      }),
    ),
  );
  return [...new Map(found.map((one) => [`${one.namespace}/${one.pod} ${one.address}`, one])).values()];
}

/** A record that names no pod may be that of any. */
function isOwner(owner: Attachment["owner"] | undefined, namespace: string, name: string): boolean {
  if (owner === undefined) return false;
  return owner.pod === undefined || (owner.pod.namespace === namespace && owner.pod.name === name);
}
