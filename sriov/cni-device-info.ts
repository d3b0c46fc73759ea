// The device-info file of one attachment: Multus names it, reads it after ADD, and shows it in the pod's network status.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import type { Attachment } from "./attachment.ts";
import { readDeviceInfo } from "./device-info.ts";
import type { PciAddress } from "./pci-address.ts";

/** As a node sees the folder, by both of its names. Source: network-attachment-definition-client, device-info of a CNI. */
const folders = ["/var/run/k8s.cni.cncf.io/devinfo/cni/", "/run/k8s.cni.cncf.io/devinfo/cni/"];

/**
 * Name of the file at `path` where that is one of the attachment's own, NETWORK-CONTAINERID_IFNAME; `undefined` for any other
 * path: whoever writes a network could otherwise have files written, and removed, where they like.
 */
export function parseCniDeviceInfoPath(
  path: string,
  { containerId, ifName }: { readonly containerId: string; readonly ifName: string },
): string | undefined {
  const folder = folders.find((known) => path.startsWith(known));
  const name = path.slice(folder?.length);
  const isPlain = !/[/\0]/.test(name) && !name.startsWith(".");
  return folder !== undefined && isPlain && name.endsWith(`-${containerId}_${ifName}`) ? name : undefined;
}

/** Writes the record's file, 0444; one that Multus copied from the device plugin stays, which knows more of its device. */
export function writeCniDeviceInfo(
  host: Pick<Host, "files" | "paths">,
  { deviceInfoFile, device }: Pick<Attachment, "deviceInfoFile" | "device">,
): void {
  if (deviceInfoFile === undefined) return;
  const path = `${host.paths.cniDeviceInfo}/${deviceInfoFile}`;
  if (isAbout(host.files.readText(path), device.address)) return;
  const vf = { address: device.address, pf: device.pf, index: device.vf };
  const info = readDeviceInfo(host, vf, { needVhostNet: false, vdpaType: undefined });
  host.files.makeFolder(host.paths.cniDeviceInfo, 0o755);
  host.files.writeAtomic(path, JSON.stringify(info), 0o444);
}

/** Removes the file `name`, which need not be there. */
export function removeCniDeviceInfo(host: Pick<Host, "files" | "paths">, name: string | undefined): void {
  if (name !== undefined) host.files.remove(`${host.paths.cniDeviceInfo}/${name}`);
}

const place = v.optional(v.object({ "pci-address": v.string() }));
const infoSchema = v.pipe(v.string(), v.parseJson(), v.object({ pci: place, vdpa: place }));

function isAbout(text: string | undefined, address: PciAddress): boolean {
  const info = v.safeParse(infoSchema, text);
  return info.success && [info.output.pci, info.output.vdpa].some((one) => one?.["pci-address"] === address);
}
