// The CPUs of the node: cores, caches, NUMA nodes, isolation.

import type { Host } from "../host/host.ts";
import { parseCpuList } from "./cpu-list.ts";
import { readAttribute, readNumber } from "./sysfs.ts";

interface CpuInfo {
  readonly cpu: number;
  readonly node: number;
  /** Unique over the machine: the lowest of `siblings`, as the kernel's core_id begins anew in each cluster on Arm. */
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

/**
 * Gives the topology at each call, and reads it anew only when CPUs came, went or changed their isolation: it is some files for
 * each CPU, and nothing else in it changes while a machine runs. At the call after that it is read once more: a CPU that comes
 * is online a little before its caches are known.
 */
export function createTopologyReader(host: Pick<Host, "files" | "paths">): () => CpuTopology {
  let last:
    | { readonly cpus: string; readonly topology: CpuTopology; readonly isSettled: boolean }
    | undefined;
  return () => {
    const cpus = ["online", "isolated"]
      .map((name) => readAttribute(host.files, `${host.paths.sys}/devices/system/cpu/${name}`) ?? "")
      .join(" isolated ");
    const isSame = last?.cpus === cpus;
    if (last === undefined || !isSame || !last.isSettled)
      last = { cpus, topology: readTopology(host), isSettled: isSame };
    return last.topology;
  };
}

/** Reads /sys/devices/system/{cpu,node}; a kernel without NUMA is one node 0. Source: Documentation/admin-guide/cputopology.rst. */
export function readTopology(host: Pick<Host, "files" | "paths">): CpuTopology {
  const { files } = host;
  const system = `${host.paths.sys}/devices/system`;
  const list = (path: string): readonly number[] =>
    parseKernelList(readAttribute(files, `${system}/${path}`));
  const online = list("cpu/online");
  const nodes = readNodes(files.list(`${system}/node`) ?? [], online, (node) =>
    list(`node/node${node}/cpulist`),
  );
  const nodeOf = new Map([...nodes].flatMap(([node, cpus]) => cpus.map((cpu) => [cpu, node] as const)));
  const cpus = online.map((cpu): CpuInfo => {
    const folder = `cpu/cpu${cpu}`;
    const siblings = list(`${folder}/topology/thread_siblings_list`);
    return {
      cpu,
      node: nodeOf.get(cpu) ?? 0,
      core: `${siblings[0] ?? cpu}`,
      l3: readLevel3(host, `${system}/${folder}/cache`),
      siblings: siblings.length === 0 ? [cpu] : siblings,
    };
  });
  return {
    online,
    cpus: new Map(cpus.map((info) => [info.cpu, info])),
    nodes,
    isolated: list("cpu/isolated"),
    nohzFull: list("cpu/nohz_full"),
  };
}

function readNodes(
  entries: readonly string[],
  online: readonly number[],
  cpusOf: (node: number) => readonly number[],
): ReadonlyMap<number, readonly number[]> {
  const ids = entries.filter((entry) => /^node\d+$/.test(entry)).map((entry) => Number(entry.slice(4)));
  if (ids.length === 0) return new Map([[0, online]]);
  const nodes = ids
    .toSorted((a, b) => a - b)
    .map((id) => [id, cpusOf(id).filter((cpu) => online.includes(cpu))] as const);
  return new Map(nodes.filter(([, cpus]) => cpus.length > 0));
}

function readLevel3({ files }: Pick<Host, "files">, cache: string): number | undefined {
  const index = (files.list(cache) ?? []).find((entry) => readNumber(files, `${cache}/${entry}/level`) === 3);
  if (index === undefined) return undefined;
  return parseKernelList(readAttribute(files, `${cache}/${index}/shared_cpu_list`))[0];
}

// nohz_full reads "(null)" where it is not in use.
function parseKernelList(text: string | undefined): readonly number[] {
  return text === undefined || text.startsWith("(") ? [] : parseCpuList(text);
}
