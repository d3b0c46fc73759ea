// Whether ADD gives a VF to another driver, and whether that can be done: asked before anything is changed.

import type { Host } from "../host/host.ts";
import type { VfOriginal } from "../sriov/attachment.ts";
import { ConfigError, describeValue } from "../sriov/config-problems.ts";
import { findDriverObstacle, readDriverState } from "../sriov/driver.ts";
import { DriverError } from "../sriov/errors.ts";
import { isUserspaceVf, type VfBasics } from "../sriov/inventory.ts";
import type { PodNetwork } from "./config.ts";

/**
 * What a record keeps of the driver where ADD will change it or DEL will take the VF from it for a moment, nothing else. Throws ERR_DRIVER when the wanted driver
 * cannot take the VF, ERR_NETWORK_CONFIG for settings that need a netdev.
 */
export function planDriverChange(
  host: Pick<Host, "files" | "paths">,
  vf: VfBasics,
  network: PodNetwork,
): Pick<VfOriginal, "driver" | "driverOverride"> {
  const { driver, resetBetweenPods } = network;
  // A reset takes the VF from its driver for a moment: whoever finishes it must know which one that was.
  const unchanged = resetBetweenPods ? readBefore(host, vf) : {};
  if (driver === undefined && !isUserspaceVf(vf)) return unchanged;
  const needsNetdev = (["mtu", "queues", "rings", "requireCarrierMs"] as const).filter(
    (key) => network[key] !== undefined,
  );
  if (needsNetdev.length > 0) {
    const expected = `nothing for ${vf.address}, which has no interface with the driver ${driver ?? vf.driver}`;
    throw new ConfigError(
      "the network",
      needsNetdev.map((key) => describeValue(key, expected, network[key])),
    );
  }
  if (driver === undefined || driver === vf.driver) return unchanged;
  const obstacle = findDriverObstacle(host, vf, driver);
  if (obstacle !== undefined)
    throw new DriverError(`giving ${vf.address} to the driver ${driver}: ${obstacle}`);
  return readBefore(host, vf);
}

function readBefore(
  host: Pick<Host, "files" | "paths">,
  vf: VfBasics,
): Pick<VfOriginal, "driver" | "driverOverride"> {
  const { driver, override } = readDriverState(host, vf.address);
  return { driver, driverOverride: override };
}
