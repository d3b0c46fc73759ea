// What was offered before this look at the node: devices in use stay what they were.
import { readAdvertisedPools } from "../sriov/advertised-pools.ts";
import type { Host } from "../host/host.ts";
import type { DeviceId } from "../sriov/aux-device.ts";
import { isPciAddress } from "../sriov/pci-address.ts";
import type { DeviceTree, OfferedDevice } from "./device-tree.ts";

/** By device: its resource, and how it was offered, which only this process knows. */
export type KnownDevices = ReadonlyMap<
  DeviceId,
  { readonly resource: string; readonly device: OfferedDevice | undefined }
>;

/** The devices of a look. */
export function knowDevices(tree: Pick<DeviceTree, "resources">): KnownDevices {
  const entries = [...tree.resources].flatMap(([resource, { devices }]) =>
    [...devices].map(([address, device]) => [address, { resource, device }] as const),
  );
  return new Map(entries);
}

/** The devices that the device plugin before this one offered. Throws ERR_RECORD_CORRUPT. */
export function readKnownDevices(host: Pick<Host, "files" | "paths">): KnownDevices {
  const entries = [...(readAdvertisedPools(host) ?? [])].flatMap(([resource, ids]) =>
    ids.filter(isPciAddress).map((address) => [address, { resource, device: undefined }] as const),
  );
  return new Map(entries);
}
