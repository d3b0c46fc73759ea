// The answer to Allocate for one container: refuses only what cannot work, because an error here fails the pod for good.
import type { Host } from "../host/host.ts";
import type { ContainerAllocateResponse, DeviceSpec } from "../kubelet/gen/deviceplugin.ts";
import { isUserspaceDriver } from "../sriov/inventory.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import type { CdiFiles } from "./cdi-files.ts";
import { formatCdiAnnotation, formatCdiName } from "./cdi-spec.ts";
import { type DeviceGrant, readDeviceGrant } from "./device-grant.ts";
import type { OfferedDevice, OfferedPool } from "./device-tree.ts";
import { formatEnvironment } from "./environment.ts";
import { AllocationError } from "./errors.ts";
import { type LiveDevice, readLiveDevice } from "./live-device.ts";

type Sysfs = Pick<Host, "files" | "paths">;

/**
 * What a container with the devices `ids` gets; its device nodes by way of `cdi`, where that is asked for and can be. Each VF is read as it is now, since the last scan can be old.
 * Throws ERR_ALLOCATION for a device that is unknown, vanished or has another driver.
 */
export function allocateDevices(
  host: Sysfs,
  offered: OfferedPool,
  ids: readonly string[],
  cdi?: Pick<CdiFiles, "publish">,
): ContainerAllocateResponse {
  const { pool } = offered;
  const grants = ids.map((id) => {
    const { device, live } = checkDevice(host, offered, id);
    return [live.address, readDeviceGrant(host, live, pool, device.selector)] as const;
  });
  const info = grants.map(([address, grant]) => [address, grant.info] as const);
  const withNodes = grants.filter(([, { nodes }]) => nodes.length > 0).map(([address]) => address);
  const byCdi = withNodes.length > 0 && cdi?.publish(offered) === true ? withNodes : [];
  return {
    envs: formatEnvironment(pool.name, new Map(info)),
    mounts: [],
    devices: byCdi.length > 0 ? [] : toSpecs(grants.map(([, grant]) => grant)),
    annotations: Object.fromEntries(byCdi.map((address) => formatCdiAnnotation(pool.name, address))),
    cdiDevices: byCdi.map((address) => ({ name: formatCdiName(pool.name, address) })),
  };
}

/** Nodes that several VFs share, /dev/vfio/vfio among them, once. */
function toSpecs(grants: readonly DeviceGrant[]): DeviceSpec[] {
  const nodes = new Map(grants.flatMap((grant) => grant.nodes.map((node) => [node.containerPath, node])));
  return [...nodes.values()].map(({ hostPath, containerPath }) => ({
    hostPath,
    containerPath,
    permissions: "rw",
  }));
}

function checkDevice(
  host: Sysfs,
  { pool, devices }: OfferedPool,
  id: string,
): { readonly device: OfferedDevice; readonly live: LiveDevice } {
  const device = [...devices.values()].find(({ address }) => address === id);
  if (device === undefined) throw new AllocationError("unknown", pool.name, id, "no such device is offered");
  const live = readLiveDevice(host, device.address);
  if (live === undefined)
    throw new AllocationError("vanished", pool.name, id, "the device is gone from the PCI bus");
  const problem = whyWrongDriver(pool, device, live);
  if (problem !== undefined) throw new AllocationError("driver", pool.name, id, problem);
  return { device, live };
}

/**
 * A VF that ADD gives to the resource's driver can have it still, of the pod before. One of the kernel's is as good as another; one
 * that was offered for a program in userspace has no device node with any of them, unless ADD gives it to the resource's driver.
 */
function whyWrongDriver(
  { driver }: ResourcePool,
  device: OfferedDevice,
  live: LiveDevice,
): string | undefined {
  const isForUserspace =
    driver === undefined && device.driver !== undefined && isUserspaceDriver(device.driver);
  if (live.driver === device.driver || (live.isKernels && !isForUserspace)) return undefined;
  if (driver !== undefined && live.driver === driver) return undefined;
  return `expected the driver ${device.driver ?? "none"}, got ${live.driver ?? "none"}`;
}
