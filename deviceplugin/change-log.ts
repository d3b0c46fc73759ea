// Tells the log what is different from the look before: devices, their health, what is left out, clashes.
import type { Log } from "../host/log.ts";
import { diffDevices, isEmptyDiff } from "./device-diff.ts";
import type { DeviceList, DeviceTree } from "./device-tree.ts";

const nothing: DeviceTree = { resources: new Map(), leftOut: new Map(), clashes: new Map() };

/** One line for each kind of difference from `before`, which is `undefined` at the first look. */
export function logChanges(log: Log, before: DeviceTree = nothing, after: DeviceTree): void {
  for (const [resource, { devices }] of after.resources) {
    const earlier = before.resources.get(resource)?.devices ?? new Map();
    const diff = diffDevices(earlier, devices);
    if (!isEmptyDiff(diff)) log.info({ resource, ...diff }, "devices changed");
    logHealth(log.child({ resource }), earlier, devices);
  }
  for (const [pciAddress, { reason }] of after.leftOut) {
    if (before.leftOut.get(pciAddress)?.reason !== reason)
      log.info({ pciAddress, reason }, "device left out");
  }
  for (const [pciAddress, resources] of after.clashes) {
    if (before.clashes.get(pciAddress)?.join() === resources.join()) continue;
    log.warn({ pciAddress, resources }, "several resources select the device, the first has it");
  }
}

/** A PF without link is one line, not one for each of its VFs. */
function logHealth(log: Log, before: DeviceList, after: DeviceList): void {
  const changed = [...after.values()].filter(
    ({ address, problem }) => before.get(address)?.problem?.reason !== problem?.reason,
  );
  for (const [reason, devices] of Map.groupBy(changed, ({ problem }) => problem?.reason)) {
    const pciAddresses = devices.map(({ address }) => address);
    if (reason === undefined) log.info({ pciAddresses }, "devices are healthy again");
    else log.warn({ pciAddresses, code: devices[0]?.problem?.code, reason }, "devices are unhealthy");
  }
}
