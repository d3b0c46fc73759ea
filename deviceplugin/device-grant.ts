// What a container gets of one VF: device nodes, and what the INFO variable tells of them. All from sysfs as it is now.
import type { Host } from "../host/host.ts";
import { deviceFolder } from "../sriov/aux-device.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import type { DeviceSelector } from "../sriov/selector.ts";
import { readAttribute } from "../sriov/sysfs.ts";
import type { LiveDevice } from "./live-device.ts";

/** A character device of the node and its name in the container. */
export interface DeviceNode {
  readonly hostPath: string;
  readonly containerPath: string;
}

/** Sections of the INFO variable: names and keys as sriov-network-device-plugin writes them; absent ones are left out. */
export type GrantInfo = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface DeviceGrant {
  readonly info: GrantInfo;
  readonly nodes: readonly DeviceNode[];
}

type Sysfs = Pick<Host, "files" | "paths">;

interface Section {
  readonly info: Readonly<Record<string, string>>;
  readonly nodes: readonly DeviceNode[];
}

const none: Section = { info: {}, nodes: [] };

/** What belongs to `device` by its driver, by the selector that it fits, and by its resource. */
export function readDeviceGrant(
  host: Sysfs,
  device: Pick<LiveDevice, "address" | "driver" | "iommuGroup">,
  pool: Pick<ResourcePool, "additionalInfo" | "driver">,
  selector: Pick<DeviceSelector, "isRdma" | "needVhostNet" | "vdpaType">,
): DeviceGrant {
  const { address } = device;
  const folder = deviceFolder(host, address);
  const isVfio = device.driver === "vfio-pci" || pool.driver === "vfio-pci";
  const sections: Readonly<Record<string, Section>> = {
    generic: { info: { deviceID: address }, nodes: [] },
    vfio: isVfio ? readVfio(host, device.iommuGroup) : none,
    uio: readUio(host, folder),
    rdma: selector.isRdma ? readRdma(host, folder) : none,
    vhost: selector.needVhostNet ? vhost : none,
    vdpa: selector.vdpaType === "vhost" ? readVdpa(host, folder) : none,
    extra: { info: { ...pool.additionalInfo["*"], ...pool.additionalInfo[address] }, nodes: [] },
  };
  const filled = Object.entries(sections).filter(([, { info }]) => Object.keys(info).length > 0);
  return {
    info: Object.fromEntries(filled.map(([name, { info }]) => [name, info])),
    nodes: filled.flatMap(([, { nodes }]) => nodes),
  };
}

/** What the kernel's vhost-net and tun modules have, of which sysfs tells only once they are loaded. */
const vhost: Section = {
  info: { "net-mount": "/dev/vhost-net", "tun-mount": "/dev/net/tun" },
  nodes: [sameNode("/dev/vhost-net"), sameNode("/dev/net/tun")],
};

// The group can be another one after a reboot. Without an IOMMU its node has a longer name, which the container does not
// see. Source: Linux drivers/vfio/group.c.
function readVfio({ files, paths }: Sysfs, group: number | undefined): Section {
  const container = sameNode("/dev/vfio/vfio");
  const info = { mount: container.containerPath };
  if (group === undefined) return { info, nodes: [container] };
  const name = readAttribute(files, `${paths.sys}/kernel/iommu_groups/${group}/name`);
  const containerPath = `/dev/vfio/${group}`;
  const hostPath = name === "vfio-noiommu" ? `/dev/vfio/noiommu-${group}` : containerPath;
  return {
    info: { ...info, "dev-mount": containerPath },
    nodes: [container, { hostPath, containerPath }],
  };
}

// Source: Linux drivers/uio/uio.c.
function readUio(host: Sysfs, folder: string): Section {
  const [name] = listEntries(host, `${folder}/uio`, /^uio\d+$/);
  if (name === undefined) return none;
  return { info: { mount: `/dev/${name}` }, nodes: [sameNode(`/dev/${name}`)] };
}

// Source: Documentation/ABI/stable/sysfs-class-infiniband; the connection manager's node is one for the machine.
function readRdma(host: Sysfs, folder: string): Section {
  const [device] = listEntries(host, `${folder}/infiniband`, /./);
  if (device === undefined) return none;
  const management = listEntries(host, `${folder}/infiniband_mad`, /^(?:umad|issm)\d+$/);
  const names = [...listEntries(host, `${folder}/infiniband_verbs`, /^uverbs\d+$/), ...management];
  if (host.files.stat(`${host.paths.sys}/class/misc/rdma_cm`) !== undefined) names.push("rdma_cm");
  const nodes = names.map((name) => sameNode(`/dev/infiniband/${name}`));
  const info = names.map((name, at) => [name.replace(/\d+$/, ""), nodes[at]?.containerPath ?? ""] as const);
  return { info: { ...Object.fromEntries(info), rdma_dev: device }, nodes };
}

// The node of a vDPA device that the vhost bus driver has. Source: Linux drivers/vhost/vdpa.c.
function readVdpa(host: Sysfs, folder: string): Section {
  const [device] = listEntries(host, folder, /^vdpa\d+$/);
  const [name] = device === undefined ? [] : listEntries(host, `${folder}/${device}`, /^vhost-vdpa-\d+$/);
  return name === undefined ? none : { info: { mount: `/dev/${name}` }, nodes: [sameNode(`/dev/${name}`)] };
}

function listEntries({ files }: Sysfs, folder: string, pattern: RegExp): string[] {
  return (files.list(folder) ?? []).filter((name) => pattern.test(name));
}

function sameNode(path: string): DeviceNode {
  return { hostPath: path, containerPath: path };
}
