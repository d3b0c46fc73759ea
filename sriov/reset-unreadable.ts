// Gives back a VF whose record cannot be read: by its live state, and the record is moved aside.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { quarantineAttachment } from "./attachment-store.ts";
import { removeCniDeviceInfo } from "./cni-device-info.ts";
import { readVf } from "./inventory.ts";
import { ipamCallOf, type IpamCall } from "./ipam.ts";
import type { KeptSetting } from "./kept-settings.ts";
import type { PciAddress } from "./pci-address.ts";
import type { Salvaged } from "./salvage-record.ts";
import { endBoth } from "./release.ts";
import { removeUserspaceCopy } from "./userspace-copy.ts";
import { resetVf } from "./vf-reset.ts";
import { restoreVf } from "./vf-restore.ts";

/**
 * Releases the lease that the record still tells, brings the VF home as its second copy says that it was, or else with the defaults
 * of the driver that ADD took it from, found on the host or in `netns`, and moves the record aside. Another VF at the address, or one
 * made by a later boot, is left alone. Gives what `restoreVf` gives. Throws ERR_RELEASE with all that failed; the record stays then. The caller holds the VF's lock.
 */
export async function resetUnreadable(
  host: Host,
  address: PciAddress,
  { salvaged, netns, reason }: ResetOptions,
): Promise<readonly KeptSetting[]> {
  const call = leaseCallOf(salvaged, netns);
  const kept = await endBoth(host, address, call, () => giveBack(host, address, salvaged, netns));
  removeCniDeviceInfo(host, salvaged.deviceInfoFile);
  removeUserspaceCopy(host, address);
  quarantineAttachment(host, address, reason);
  return kept;
}

export interface ResetOptions {
  readonly salvaged: Salvaged;
  /** The namespace that the VF is in, undefined when that is the host's or is gone. */
  readonly netns: NetnsHandle | undefined;
  /** Why the record cannot be read: kept beside it. */
  readonly reason: string;
}

function leaseCallOf({ owner, ipam }: Salvaged, netns: NetnsHandle | undefined): IpamCall | undefined {
  if (owner === undefined) return undefined;
  return ipamCallOf({ owner, ipam }, netns === undefined ? "" : owner.netns);
}

async function giveBack(
  host: Host,
  address: PciAddress,
  salvaged: Salvaged,
  netns: NetnsHandle | undefined,
): Promise<readonly KeptSetting[]> {
  if (!isSameVf(host, address, salvaged)) return [];
  const { copy, driver } = salvaged;
  if (copy !== undefined) return await restoreVf(host, copy, netns);
  await resetVf(host, address, { netns, driver });
  return [];
}

function isSameVf(host: Host, address: PciAddress, { device, bootId }: Salvaged): boolean {
  if (bootId !== undefined && bootId !== host.clock.bootId()) return false;
  return device === undefined || String(readVf(host, address)?.inode) === device.inode;
}
