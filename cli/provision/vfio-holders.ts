// Programs that hold a VF by VFIO, pods or not: taken from them the kernel would wait, perhaps for ever.

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { VfUse } from "../../sriov/errors.ts";
import type { VirtualFunction } from "../../sriov/inventory.ts";
import { pciFolder } from "../../sriov/pci-device.ts";
import { listOpenFiles, listProcesses } from "../../sriov/processes.ts";

type Eyes = Pick<Host, "files" | "paths">;

/** A use for each process that this one sees and VF that it has open. Source: Linux drivers/vfio/group.c, device_cdev.c. */
export function findVfioHolders(
  host: Eyes,
  vfs: readonly Pick<VirtualFunction, "address" | "driver" | "iommuGroup">[],
): readonly VfUse[] {
  const byNode = new Map(
    vfs
      .filter(({ driver }) => driver === "vfio-pci")
      .flatMap((vf) => listNodes(host, vf).map((node) => [node, vf.address] as const)),
  );
  if (byNode.size === 0) return [];
  return listProcesses(host).flatMap((pid) =>
    tryListOpenFiles(host, pid).flatMap((path) => {
      const vf = byNode.get(path);
      return vf === undefined ? [] : [{ vf, text: `process ${pid} has ${vf} open (${path})` }];
    }),
  );
}

/** The device nodes that give the VF away: its group's, and its own. */
function listNodes(
  host: Eyes,
  { address, iommuGroup }: Pick<VirtualFunction, "address" | "iommuGroup">,
): readonly string[] {
  const own = host.files.list(`${pciFolder(host, address)}/vfio-dev`) ?? [];
  const ofGroup =
    iommuGroup === undefined ? [] : [`/dev/vfio/${iommuGroup}`, `/dev/vfio/noiommu-${iommuGroup}`];
  return [...ofGroup, ...own.map((name) => `/dev/vfio/devices/${name}`)];
}

/** Nothing of a process that cannot be looked into. */
function tryListOpenFiles(host: Eyes, pid: string): readonly string[] {
  try {
    return listOpenFiles(host, pid);
  } catch (error) {
    if (error instanceof SystemCallError) return [];
    throw error;
  }
}
