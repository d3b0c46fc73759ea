// The CPUs of the node: cores, caches, NUMA nodes, isolation.

import type { Host } from "../host/host.ts";

export interface CpuInfo {
  readonly cpu: number;
  readonly node: number;
  /** Unique over the machine: "package:die:core". */
  readonly core: string;
  /** Lowest CPU that shares the level-3 cache; `undefined` where the machine has or shows none. */
  readonly l3: number | undefined;
  /** Online hyperthreads of the same core, itself included, ascending. */
  readonly siblings: readonly number[];
}

export interface CpuTopology {
  readonly online: readonly number[];
  /** Online CPUs only. */
  readonly cpus: ReadonlyMap<number, CpuInfo>;
  /** Online CPUs of each node that has any. */
  readonly nodes: ReadonlyMap<number, readonly number[]>;
  /** isolcpus= and isolated cpuset partitions. */
  readonly isolated: readonly number[];
  readonly nohzFull: readonly number[];
}

/** Reads /sys/devices/system/{cpu,node}; a kernel without NUMA is one node 0. Source: Documentation/admin-guide/cputopology.rst. */
export declare function readTopology(host: Pick<Host, "files" | "paths">): CpuTopology;
