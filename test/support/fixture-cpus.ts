// The CPU part of a fixture tree: /sys/devices/system/{cpu,node} of a machine.

import { formatCpuList } from "../../sriov/cpu-list.ts";
import type { CpuShape } from "../fixtures/machines.ts";
import type { FolderPlan } from "./fixture-folder.ts";

/** Files below the root for the machine's CPUs, caches and NUMA nodes. */
export function planCpus(shape: CpuShape): FolderPlan {
  const { nodes, coresPerNode, threads, cachesPerNode } = shape;
  const cores = nodes * coresPerNode;
  const offline = new Set(shape.offline);
  const all = Array.from({ length: cores * threads }, (_, cpu) => cpu);
  const online = all.filter((cpu) => !offline.has(cpu));
  const plan: Record<string, string> = {
    "sys/devices/system/cpu/online": formatCpuList(online),
    "sys/devices/system/cpu/possible": formatCpuList(all),
    "sys/devices/system/cpu/isolated": shape.isolated ?? "",
    "sys/devices/system/cpu/nohz_full": shape.nohzFull ?? "(null)",
  };
  const cacheOf = (cpu: number): number => Math.floor((cpu % cores) / (coresPerNode / cachesPerNode));
  for (const cpu of all) plan[`sys/devices/system/cpu/cpu${cpu}/uevent`] = "";
  for (const cpu of online) {
    const folder = `sys/devices/system/cpu/cpu${cpu}`;
    plan[`${folder}/topology/physical_package_id`] = String(Math.floor((cpu % cores) / coresPerNode));
    plan[`${folder}/topology/core_id`] = String(cpu % coresPerNode);
    plan[`${folder}/topology/thread_siblings_list`] = formatCpuList(
      online.filter((other) => other % cores === cpu % cores),
    );
    plan[`${folder}/cache/index0/level`] = "1";
    plan[`${folder}/cache/index0/shared_cpu_list`] = String(cpu);
    plan[`${folder}/cache/index3/level`] = "3";
    plan[`${folder}/cache/index3/shared_cpu_list`] = formatCpuList(
      online.filter((other) => cacheOf(other) === cacheOf(cpu)),
    );
  }
  for (let node = 0; node < nodes; node += 1) {
    plan[`sys/devices/system/node/node${node}/cpulist`] = formatCpuList(cpusOfNode(shape, node));
  }
  return plan;
}

/** CPUs that a device of `node` is local to: the node's, or all for -1. */
export function cpusOfNode(shape: CpuShape, node: number): readonly number[] {
  const cores = shape.nodes * shape.coresPerNode;
  return Array.from({ length: cores * shape.threads }, (_, cpu) => cpu)
    .filter((cpu) => node < 0 || Math.floor((cpu % cores) / shape.coresPerNode) === node)
    .filter((cpu) => shape.offline?.includes(cpu) !== true);
}
