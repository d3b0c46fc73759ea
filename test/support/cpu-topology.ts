// CPU topologies for tests: nodes of cores of threads, CPU numbers ascending core by core.

import type { CpuTopology } from "../../sriov/topology.ts";

export interface TopologyShape {
  /** Cores of each node. */
  readonly cores: number;
  readonly threads?: number;
  readonly nodes?: number;
  /** Cores that share a level-3 cache; all of a node unless given. */
  readonly coresPerCache?: number;
  readonly isolated?: readonly number[];
  readonly nohzFull?: readonly number[];
}

/** All CPUs online: threads of a core are neighbours, cores of a node too. */
export function makeTopology(shape: TopologyShape): CpuTopology {
  const { cores, threads = 1, nodes = 1, coresPerCache = cores } = shape;
  const online = Array.from({ length: cores * threads * nodes }, (_, cpu) => cpu);
  const nodeOf = (cpu: number): number => Math.floor(cpu / (cores * threads));
  const coreOf = (cpu: number): number => Math.floor(cpu / threads);
  const cacheOf = (cpu: number): number =>
    nodeOf(cpu) * cores * threads +
    Math.floor((coreOf(cpu) % cores) / coresPerCache) * coresPerCache * threads;
  return {
    online,
    cpus: new Map(
      online.map((cpu) => [
        cpu,
        {
          cpu,
          node: nodeOf(cpu),
          core: `${nodeOf(cpu)}:0:${coreOf(cpu)}`,
          l3: cacheOf(cpu),
          siblings: online.filter((other) => coreOf(other) === coreOf(cpu)),
        },
      ]),
    ),
    nodes: new Map(
      Array.from({ length: nodes }, (_, node) => [node, online.filter((cpu) => nodeOf(cpu) === node)]),
    ),
    isolated: shape.isolated ?? [],
    nohzFull: shape.nohzFull ?? [],
  };
}
