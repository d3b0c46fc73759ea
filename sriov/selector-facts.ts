// Reads the facts that only some selectors ask for: each costs reads, so only what is asked for is read.

import type { Host } from "../host/host.ts";
import { auxTypeOf, deviceFolder } from "./aux-device.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";
import { pciFolder, readLinkName } from "./pci-device.ts";
import type { OfferableDevice } from "./resource-candidates.ts";
import type { DeviceSelector, SelectorFacts, VdpaType } from "./selector.ts";
import { readAttribute, readNumber } from "./sysfs.ts";

type Sysfs = Pick<Host, "files" | "paths">;
export type SelectorEyes = Pick<Host, "files" | "paths" | "openDevlink">;

/** Which facts the selectors ask for. */
export type FactNeeds = ReadonlySet<keyof SelectorFacts>;

/** The facts that decide whether a device fits any of `selectors`. */
export function findFactNeeds(selectors: readonly DeviceSelector[]): FactNeeds {
  const asks: Readonly<Record<keyof SelectorFacts, (selector: DeviceSelector) => boolean>> = {
    acpiIndex: ({ acpiIndexes }) => acpiIndexes.length > 0,
    linkType: ({ linkTypes }) => linkTypes.length > 0,
    ddpProfile: ({ ddpProfiles }) => ddpProfiles.length > 0,
    pKeys: ({ pKeys }) => pKeys.length > 0,
    isRdma: ({ isRdma }) => isRdma,
    vdpaType: ({ vdpaType }) => vdpaType !== undefined,
    auxType: ({ auxTypes }) => auxTypes.length > 0,
  };
  const names = Object.keys(asks) as (keyof SelectorFacts)[];
  return new Set(names.filter((name) => selectors.some((selector) => asks[name](selector))));
}

/** The facts of a device that `needs` names, as far as sysfs and devlink have them; `pfNetdev` is its PF's, in this namespace. */
export function readSelectorFacts(
  host: SelectorEyes,
  device: Pick<OfferableDevice, "address" | "pf" | "netdevs">,
  pfNetdev: string | undefined,
  needs: FactNeeds,
): SelectorFacts {
  const { address, pf, netdevs } = device;
  const folder = deviceFolder(host, address);
  const pciAddress = isPciAddress(address) ? address : pf;
  return {
    acpiIndex: needs.has("acpiIndex")
      ? readAttribute(host.files, `${pciFolder(host, pciAddress)}/acpi_index`)
      : undefined,
    // The device's own netdev may be inside a pod: it has the link type of its PF.
    linkType: needs.has("linkType") ? readLinkType(host, netdevs[0] ?? pfNetdev) : undefined,
    ddpProfile: needs.has("ddpProfile") ? readDdpProfile(host, pciAddress, pf) : undefined,
    pKeys: needs.has("pKeys") ? readPartitionKeys(host, folder) : [],
    isRdma: needs.has("isRdma") && listEntries(host, `${folder}/infiniband`).length > 0,
    auxType: isPciAddress(address) ? undefined : auxTypeOf(address),
    vdpaType: needs.has("vdpaType") ? readVdpaType(host, folder) : undefined,
  };
}

/** Names as iproute2 prints them ("link/ether"). Source: include/uapi/linux/if_arp.h. */
const linkTypes: ReadonlyMap<number, string> = new Map([
  [1, "ether"],
  [32, "infiniband"],
  [772, "loopback"],
]);

function readLinkType(host: Sysfs, netdev: string | undefined): string | undefined {
  if (netdev === undefined) return undefined;
  const type = readNumber(host.files, `${host.paths.sys}/class/net/${netdev}/type`);
  return type === undefined ? undefined : linkTypes.get(type);
}

// The package that the card's pipeline runs; drivers tell it of the PF. Source: Documentation/networking/devlink/ice.rst.
function readDdpProfile(host: SelectorEyes, ...devices: readonly PciAddress[]): string | undefined {
  using devlink = host.openDevlink();
  return devices
    .map((device) => devlink.getRunningVersions(device).get("fw.app.name"))
    .find((name) => name !== undefined);
}

// The default partition of each port. Source: Documentation/ABI/stable/sysfs-class-infiniband.
function readPartitionKeys(host: Sysfs, folder: string): readonly number[] {
  const ports = listEntries(host, `${folder}/infiniband`).flatMap((device) => {
    const at = `${folder}/infiniband/${device}/ports`;
    return listEntries(host, at).map((port) => `${at}/${port}`);
  });
  return ports.flatMap((port) => readNumber(host.files, `${port}/pkeys/0`) ?? []);
}

// Source: Linux drivers/vdpa; the bus drivers are vhost_vdpa and virtio_vdpa.
function readVdpaType(host: Sysfs, folder: string): VdpaType | undefined {
  const device = listEntries(host, folder).find((entry) => /^vdpa\d+$/.test(entry));
  if (device === undefined) return undefined;
  const driver = readLinkName(host, `${folder}/${device}/driver`);
  if (driver === "vhost_vdpa") return "vhost";
  return driver === "virtio_vdpa" ? "virtio" : undefined;
}

function listEntries(host: Sysfs, path: string): readonly string[] {
  return host.files.list(path) ?? [];
}
