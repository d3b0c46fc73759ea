// Device-info files: what a VF is, for Multus and for programs that read the pod's network status.

import type { Host } from "../host/host.ts";
import type { VirtualFunction } from "./inventory.ts";
import { type PciAddress, isPciAddress } from "./pci-address.ts";
import { pciFolder } from "./pci-device.ts";
import type { DeviceSelector } from "./selector.ts";
import { readAttribute } from "./sysfs.ts";

type Sysfs = Pick<Host, "files" | "paths">;

const suffix = "-device.json";

/** Name of the file of a device: "sriov-vf-0000:3b:02.1-device.json". Source: network-attachment-definition-client, device-info of a device plugin. */
export function formatDeviceInfoName(resource: string, id: string): string {
  return `${resource}-${id}${suffix}`.replaceAll("/", "-");
}

/** The device that the file `name` is of, when it is one of `resource`. */
export function parseDeviceInfoName(resource: string, name: string): PciAddress | undefined {
  const prefix = `${resource.replaceAll("/", "-")}-`;
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return undefined;
  const id = name.slice(prefix.length, -suffix.length);
  return isPciAddress(id) ? id : undefined;
}

/**
 * Writes the file of a VF, which replaces one that is there; readable for all, writable for none, as Multus has it. Source:
 * device-info-spec 1.1.0.
 */
export function writeDeviceInfo(
  host: Sysfs,
  resource: string,
  vf: Pick<VirtualFunction, "address" | "pf" | "index">,
  selector: Pick<DeviceSelector, "needVhostNet" | "vdpaType">,
): void {
  const folder = host.paths.deviceInfo;
  host.files.makeFolder(folder, 0o755);
  const json = JSON.stringify(readDeviceInfo(host, vf, selector));
  host.files.writeAtomic(`${folder}/${formatDeviceInfoName(resource, vf.address)}`, json, 0o444);
}

/** Whether a device plugin of ours wrote the file of the device: sriov-network-device-plugin's, of the same name, tells no PF. */
export function hasOwnDeviceInfo(host: Sysfs, resource: string, address: PciAddress): boolean {
  const text = host.files.readText(`${host.paths.deviceInfo}/${formatDeviceInfoName(resource, address)}`);
  return text?.includes('"pf-pci-address"') === true;
}

/** What the file of a VF says; what the VF does not have is left out. */
export function readDeviceInfo(
  host: Sysfs,
  { address, pf, index }: Pick<VirtualFunction, "address" | "pf" | "index">,
  { needVhostNet, vdpaType }: Pick<DeviceSelector, "needVhostNet" | "vdpaType">,
): Readonly<Record<string, unknown>> {
  const folder = pciFolder(host, address);
  const place = {
    "pci-address": address,
    "pf-pci-address": pf,
    "representor-device": findRepresentor(host, pf, index),
  };
  const version = "1.1.0";
  if (vdpaType !== undefined) {
    const name = findEntry(host, folder, /^vdpa\d+$/);
    const path = name === undefined ? undefined : findVdpaPath(host, `${folder}/${name}`);
    return { type: "vdpa", version, vdpa: { "parent-device": name, driver: vdpaType, path, ...place } };
  }
  return {
    type: "pci",
    version,
    pci: {
      ...place,
      "vhost-net": needVhostNet ? "/dev/vhost-net" : undefined,
      "rdma-device": findEntry(host, `${folder}/infiniband`, /./),
    },
  };
}

// A representor's port name is pf0vf3; those of other controllers ("c1pf0vf3") are of another machine's VFs.
function findRepresentor(host: Sysfs, pf: PciAddress, index: number): string | undefined {
  const folder = `${pciFolder(host, pf)}/net`;
  return (host.files.list(folder) ?? []).find((netdev) => {
    const port = readAttribute(host.files, `${folder}/${netdev}/phys_port_name`) ?? "";
    return /^pf\d+vf(\d+)$/.exec(port)?.[1] === String(index);
  });
}

// The bus driver decides which: a character device, or a virtio device with a netdev.
function findVdpaPath(host: Sysfs, folder: string): string | undefined {
  const vhost = findEntry(host, folder, /^vhost-vdpa-\d+$/);
  if (vhost !== undefined) return `/dev/${vhost}`;
  const virtio = findEntry(host, folder, /^virtio\d+$/);
  return virtio === undefined ? undefined : `/sys/bus/virtio/devices/${virtio}`;
}

function findEntry({ files }: Sysfs, folder: string, pattern: RegExp): string | undefined {
  return (files.list(folder) ?? []).find((name) => pattern.test(name));
}
