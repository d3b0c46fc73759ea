// The PCI part of a fixture tree: what sysfs shows of a NIC, its PF side and its VFs.

import { formatCpuList } from "../../sriov/cpu-list.ts";
import { formatPciAddress, parsePciAddress, pciDomain, pciRoutingId } from "../../sriov/pci-address.ts";
import type { CpuShape, PfShape } from "../fixtures/machines.ts";
import { cpusOfNode } from "./fixture-cpus.ts";
import type { FolderEntry, FolderPlan } from "./fixture-folder.ts";

/** One PCI device, PF, VF or neither. */
export interface DeviceShape {
  readonly address: string;
  readonly driver: string | undefined;
  readonly vendor: string;
  readonly device: string;
  readonly class: string;
  readonly numaNode: number;
  readonly iommuGroup: number;
  readonly irqs: readonly number[];
}

/** A netdev of a device, with its queues as they are before anyone sets a mask. */
export interface NetdevShape {
  readonly name: string;
  readonly ifindex: number;
  readonly queues: number;
  readonly layout: "pci" | "virtio";
}

/** The device's folder below the root: a VF hangs below the same bridge as its PF. */
export function deviceFolder(address: string): string {
  return `sys/devices/pci0000:00/0000:00:03.0/${address}`;
}

/** Address of VF `index` of a PF. */
export function vfAddress(pf: PfShape, index: number): string {
  const address = parsePciAddress(pf.address);
  return formatPciAddress(pciDomain(address), pciRoutingId(address) + pf.vf.offset + index * pf.vf.stride);
}

/** Files that every PCI device has, and the links that lead to it. */
export function planDevice(device: DeviceShape, cpus: CpuShape): FolderPlan {
  const folder = deviceFolder(device.address);
  const plan: Record<string, FolderEntry> = {
    [`${folder}/vendor`]: `0x${device.vendor}`,
    [`${folder}/device`]: `0x${device.device}`,
    [`${folder}/class`]: device.class,
    [`${folder}/numa_node`]: String(device.numaNode),
    [`${folder}/local_cpulist`]: formatCpuList(cpusOfNode(cpus, device.numaNode)),
    [`${folder}/driver_override`]: "(null)",
    [`${folder}/iommu_group`]: { to: `sys/kernel/iommu_groups/${device.iommuGroup}` },
    [`sys/kernel/iommu_groups/${device.iommuGroup}/type`]: "DMA-FQ",
    [`sys/bus/pci/devices/${device.address}`]: { to: folder },
    ...planDriver(device),
  };
  for (const irq of device.irqs) plan[`${folder}/msi_irqs/${irq}`] = "msix";
  return plan;
}

/** The links of a bound device, both ways; nothing for an unbound one. */
export function planDriver({ address, driver }: Pick<DeviceShape, "address" | "driver">): FolderPlan {
  if (driver === undefined) return {};
  const folder = deviceFolder(address);
  return {
    [`sys/bus/pci/drivers/${driver}/uevent`]: "",
    [`sys/bus/pci/drivers/${driver}/${address}`]: { to: folder },
    [`${folder}/driver`]: { to: `sys/bus/pci/drivers/${driver}` },
  };
}

/** What makes a device a PF, without its VFs. */
export function planPf(pf: PfShape): FolderPlan {
  const folder = deviceFolder(pf.address);
  return {
    [`${folder}/sriov_totalvfs`]: String(pf.totalVfs),
    [`${folder}/sriov_numvfs`]: String(pf.numVfs),
    [`${folder}/sriov_offset`]: String(pf.vf.offset),
    [`${folder}/sriov_stride`]: String(pf.vf.stride),
    [`${folder}/sriov_drivers_autoprobe`]: "1",
  };
}

/** The links between a PF and one of its VFs. */
export function planVfLinks(pf: PfShape, index: number): FolderPlan {
  const address = vfAddress(pf, index);
  return {
    [`${deviceFolder(pf.address)}/virtfn${index}`]: { to: deviceFolder(address) },
    [`${deviceFolder(address)}/physfn`]: { to: deviceFolder(pf.address) },
  };
}

/** The folder that holds the device's netdevs: there also while they are in another namespace. */
export function netFolder(address: string, layout: "pci" | "virtio", virtio = 0): string {
  return layout === "pci" ? `${deviceFolder(address)}/net` : `${deviceFolder(address)}/virtio${virtio}/net`;
}

/** A netdev below `folder` (`netFolder`), and its link in /sys/class/net. */
export function planNetdev(folder: string, netdev: Omit<NetdevShape, "layout">): FolderPlan {
  const at = `${folder}/${netdev.name}`;
  const plan: Record<string, FolderEntry> = {
    [`${at}/ifindex`]: String(netdev.ifindex),
    [`sys/class/net/${netdev.name}`]: { to: at },
  };
  for (let queue = 0; queue < netdev.queues; queue += 1) {
    plan[`${at}/queues/rx-${queue}/rps_cpus`] = "00000000";
    plan[`${at}/queues/rx-${queue}/rps_flow_cnt`] = "0";
    plan[`${at}/queues/tx-${queue}/xps_cpus`] = "00000000";
  }
  return plan;
}
