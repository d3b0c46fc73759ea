// Whether a process has a VF open that its driver hands out to programs: of such a VF no namespace tells who has it.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import type { VfBasics } from "./inventory.ts";
import { pciFolder } from "./pci-device.ts";
import { createProcessView, initialPidNamespace } from "./processes.ts";

type Eyes = Pick<Host, "files" | "paths">;

// A program may close the group and keep the device. Source: Linux drivers/vfio/group.c, vfio_device_open_file.
const vfioDevice = "anon_inode:[vfio-device]";

/** Who has the VF, or why that cannot be told, as a clause: "process 4711 has /dev/vfio/12 open"; `undefined` when nobody has it. */
export function findOpenDevice(
  host: Eyes,
  vf: Pick<VfBasics, "address" | "iommuGroup">,
  processes = createProcessView(host),
): string | undefined {
  const { files, paths } = host;
  if (files.readLink(join(paths.proc, "self/ns/pid")) !== initialPidNamespace)
    return "not every process of the node is seen from here";
  return findSeenUser(host, vf, processes);
}

/** As `findOpenDevice`, of the processes that are seen from here: in a node that is a container itself (kind) those are never all. */
export function findSeenUser(
  host: Eyes,
  vf: Pick<VfBasics, "address" | "iommuGroup">,
  processes = createProcessView(host),
): string | undefined {
  const { files } = host;
  const nodes = listNodes(host, vf);
  const folder = `${files.realPath(pciFolder(host, vf.address)) ?? pciFolder(host, vf.address)}/`;
  for (const pid of processes.list()) {
    const open = processes.listOpenDevices(pid);
    if (typeof open === "string") return `what process ${pid} has open cannot be read: ${open}`;
    const own = open.find((file) => nodes.has(file) || file.startsWith(folder));
    if (own !== undefined) return `process ${pid} has ${own} open`;
    if (open.includes(vfioDevice) && !open.some((file) => file.startsWith("/dev/vfio/")))
      return `process ${pid} has a device of vfio open, and which cannot be told`;
  }
  return undefined;
}

/** Device nodes, as the driver's users open them. Source: Documentation/driver-api/vfio.rst; uio-howto.rst. */
function listNodes(
  host: Eyes,
  { address, iommuGroup }: Pick<VfBasics, "address" | "iommuGroup">,
): Set<string> {
  const folder = pciFolder(host, address);
  const ofFolder = (name: string): readonly string[] => host.files.list(`${folder}/${name}`) ?? [];
  return new Set([
    ...(iommuGroup === undefined ? [] : [`/dev/vfio/${iommuGroup}`, `/dev/vfio/noiommu-${iommuGroup}`]),
    ...ofFolder("vfio-dev").map((name) => `/dev/vfio/devices/${name}`),
    ...ofFolder("uio").map((name) => `/dev/${name}`),
  ]);
}
