// The function-level reset (FLR) of a VF: what one pod left in its hardware is not there for the next one.

import { SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { bindDriver, readDriverState } from "./driver.ts";
import { isNetworkVf, type VirtualFunction } from "./inventory.ts";
import { pciFolder } from "./pci-device.ts";
import type { PciAddress } from "./pci-address.ts";
import { VfResetError } from "./vf-errors.ts";

/** Throws ERR_VF_RESET when the kernel has no way to reset the VF by itself: asked before anything is changed. */
export function checkResettable(host: Pick<Host, "files" | "paths">, address: PciAddress): void {
  if (host.files.stat(resetPath(host, address)) !== undefined) return;
  throw new VfResetError(
    `resetBetweenPods of ${address}: expected a device that can be reset by itself, got none (${resetPath(host, address)} is missing)`,
  );
}

/**
 * Resets the VF, which must be on the host and down. Its network driver lets go of it meanwhile, and has it again afterwards with
 * another netdev: igbvf waits for ever when it is told of a reset while its interface is down (Linux 6.12). Can be done any number
 * of times. Throws ERR_VF_RESET, ERR_DRIVER. Source: Documentation/ABI/testing/sysfs-bus-pci, "reset".
 */
export function resetFunction(
  host: Pick<Host, "files" | "paths">,
  vf: Pick<VirtualFunction, "address" | "driver" | "classCode">,
): void {
  const { address } = vf;
  if (!isNetworkVf(vf)) {
    reset(host, address);
    return;
  }
  const before = readDriverState(host, address);
  bindDriver(host, address, { driver: undefined, override: before.override });
  try {
    reset(host, address);
  } finally {
    bindDriver(host, address, before);
  }
}

function reset(host: Pick<Host, "files" | "paths">, address: PciAddress): void {
  try {
    host.files.writeText(resetPath(host, address), "1");
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    throw new VfResetError(`resetting ${address}: ${cause.message}`, { cause });
  }
}

function resetPath(host: Pick<Host, "paths">, address: PciAddress): string {
  return `${pciFolder(host, address)}/reset`;
}
