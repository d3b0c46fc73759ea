// Reads what the health of devices depends on: records, the kubelet's checkpoint, links, configuration spaces.
import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link } from "../host/netlink/netlink.ts";
import { type DevicesByResource, readCheckpoint } from "../kubelet/checkpoint.ts";
import { CheckpointError } from "../kubelet/errors.ts";
import { readAttachments } from "../sriov/attachment-store.ts";
import { type Attachment, isOfThisBoot } from "../sriov/attachment.ts";
import type { Inventory } from "../sriov/inventory.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { pciFolder } from "../sriov/pci-device.ts";

type Node = Pick<Host, "files" | "paths" | "clock">;

/** The records of this boot by VF; what cannot be read is left to the CNI. */
export function readLiveRecords(host: Node): ReadonlyMap<PciAddress, Attachment> {
  const { records } = readAttachments(host);
  if (records.length === 0) return new Map();
  const bootId = host.clock.bootId();
  const live = records.filter((record) => isOfThisBoot(record, bootId));
  return new Map(live.map((record) => [record.device.address, record]));
}

/** Ids of the devices that the kubelet gave to containers, by resource; `undefined` when its checkpoint cannot tell. */
export function readAllocatedDevices(
  host: Pick<Node, "files" | "paths">,
): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  try {
    const checkpoint = readCheckpoint(host);
    if (checkpoint === undefined) return undefined;
    const allocated = new Map<string, Set<string>>();
    for (const pod of checkpoint.pods.values()) {
      for (const devices of pod.values()) addDevices(allocated, devices);
    }
    return allocated;
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof HostError) return undefined;
    throw error;
  }
}

function addDevices(allocated: Map<string, Set<string>>, devices: DevicesByResource): void {
  for (const [resource, ids] of devices)
    allocated.set(resource, new Set([...(allocated.get(resource) ?? []), ...ids]));
}

/** PFs whose netdev is in this namespace and has no link, each with the netdev's name. */
export function findPfsWithoutLink(
  { pfs }: Pick<Inventory, "pfs">,
  links: readonly Link[],
): ReadonlyMap<PciAddress, string> {
  const silent = new Set(links.filter(({ hasCarrier }) => !hasCarrier).map(({ name }) => name));
  const entries = [...pfs.values()].flatMap(({ address, netdevs: [netdev] }) =>
    netdev !== undefined && silent.has(netdev) ? [[address, netdev] as const] : [],
  );
  return new Map(entries);
}

/** Without privileges the kernel shows so much. Source: Linux drivers/pci/pci-sysfs.c, pci_read_config. */
const readableBytes = 64;

/** The beginning of the PCI configuration space, which the device itself answers. */
export function readConfigSpace(host: Node, address: PciAddress): Uint8Array | undefined {
  try {
    return host.files.readBytes(`${pciFolder(host, address)}/config`, 0, readableBytes);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
