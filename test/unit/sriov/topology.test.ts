// CPU topology from sysfs: nodes, cores, caches, hyperthreads, offline and isolated CPUs.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { formatCpuList } from "../../../sriov/cpu-list.ts";
import { createTopologyReader, readTopology, type CpuTopology } from "../../../sriov/topology.ts";
import { machines, type CpuShape } from "../../fixtures/machines.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";

function topologyOf(cpus: CpuShape): CpuTopology {
  using tree = createFixtureTree({ cpus, pfs: [] });
  return readTopology(tree.host);
}

function describe(topology: CpuTopology): string {
  return [...topology.cpus.values()]
    .map(
      ({ cpu, node, core, l3, siblings }) =>
        `${cpu} node ${node} core ${core} l3 ${l3} with ${formatCpuList(siblings)}`,
    )
    .join("\n");
}

test("two nodes with two caches each, two threads a core", () => {
  const topology = topologyOf({ nodes: 2, coresPerNode: 2, threads: 2, cachesPerNode: 2 });
  expect(describe(topology)).toMatchInlineSnapshot(`
    "0 node 0 core 0 l3 0 with 0,4
    1 node 0 core 1 l3 1 with 1,5
    2 node 1 core 2 l3 2 with 2,6
    3 node 1 core 3 l3 3 with 3,7
    4 node 0 core 0 l3 0 with 0,4
    5 node 0 core 1 l3 1 with 1,5
    6 node 1 core 2 l3 2 with 2,6
    7 node 1 core 3 l3 3 with 3,7"
  `);
  expect([...topology.nodes]).toEqual([
    [0, [0, 1, 4, 5]],
    [1, [2, 3, 6, 7]],
  ]);
});

test("an offline CPU is in no list, and no sibling", () => {
  const topology = topologyOf({ nodes: 1, coresPerNode: 2, threads: 2, cachesPerNode: 1, offline: [0] });
  expect(topology.online).toEqual([1, 2, 3]);
  expect([...topology.cpus.keys()]).toEqual([1, 2, 3]);
  expect(topology.cpus.get(2)?.siblings).toEqual([2]);
  expect(topology.nodes).toEqual(new Map([[0, [1, 2, 3]]]));
});

test("a node all of whose CPUs are offline, or that is memory only, is no node of CPUs", () => {
  const topology = topologyOf({ nodes: 2, coresPerNode: 1, threads: 1, cachesPerNode: 1, offline: [1] });
  expect([...topology.nodes.keys()]).toEqual([0]);
});

test("isolated and nohz_full CPUs; (null) is none", () => {
  const shape: CpuShape = { nodes: 1, coresPerNode: 4, threads: 1, cachesPerNode: 1 };
  expect(topologyOf(shape)).toMatchObject({ isolated: [], nohzFull: [] });
  expect(topologyOf({ ...shape, isolated: "2-3", nohzFull: "3" })).toMatchObject({
    isolated: [2, 3],
    nohzFull: [3],
  });
});

test("a kernel without NUMA is one node 0, and a machine without a level-3 cache shows none", () => {
  using tree = createFixtureTree({ ...machines.virtio, pfs: [] });
  const system = join(tree.root, "sys/devices/system");
  fs.rmSync(join(system, "node"), { recursive: true });
  fs.rmSync(join(system, "cpu/cpu0/cache/index3"), { recursive: true });
  fs.rmSync(join(system, "cpu/cpu1/cache"), { recursive: true });
  const { online, nodes, cpus } = readTopology(tree.host);
  expect(nodes).toEqual(new Map([[0, online]]));
  expect([cpus.get(0)?.l3, cpus.get(1)?.l3, cpus.get(2)?.l3]).toEqual([undefined, undefined, 2]);
});

test("cores are told apart by their hyperthreads: on Arm their numbers begin anew in each cluster, and some kernels have none", () => {
  const cpus = { nodes: 1, coresPerNode: 4, threads: 2, cachesPerNode: 1 };
  using tree = createFixtureTree({ cpus, pfs: [] });
  for (const cpu of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const topology = join(tree.root, `sys/devices/system/cpu/cpu${cpu}/topology`);
    fs.writeFileSync(join(topology, "core_id"), `${cpu % 2}\n`);
  }
  const listCores = (): readonly unknown[] =>
    [...readTopology(tree.host).cpus.values()].map(({ core }) => core);
  const cores = listCores();
  expect(new Set(cores).size).toBe(4);
  expect(cores.slice(4)).toEqual(cores.slice(0, 4));
  for (const cpu of [0, 1, 2, 3, 4, 5, 6, 7])
    fs.rmSync(join(tree.root, `sys/devices/system/cpu/cpu${cpu}/topology`), { recursive: true });
  expect(new Set(listCores()).size).toBe(8);
});

test("a reader reads anew when a CPU goes, and only then", () => {
  using tree = createFixtureTree({ ...machines.virtio, pfs: [] });
  const read = createTopologyReader(tree.host);
  read();
  const first = read();
  expect(read()).toBe(first);
  const online = join(tree.root, "sys/devices/system/cpu/online");
  fs.writeFileSync(online, `${formatCpuList(first.online.slice(1))}\n`);
  expect(read().online).toEqual(first.online.slice(1));
});

test("a CPU that is online before its caches are known is seen whole at the next look", () => {
  using tree = createFixtureTree({
    cpus: { nodes: 1, coresPerNode: 4, threads: 1, cachesPerNode: 1 },
    pfs: [],
  });
  const cpus = join(tree.root, "sys/devices/system/cpu");
  const all = fs.readFileSync(join(cpus, "online"), "utf8");
  const read = createTopologyReader(tree.host);
  fs.writeFileSync(join(cpus, "online"), "0-2\n");
  fs.renameSync(join(cpus, "cpu3/cache"), join(cpus, "cpu3/later"));
  for (let look = 0; look < 3; look += 1) read();
  fs.writeFileSync(join(cpus, "online"), all);
  expect(read().cpus.get(3)?.l3).toBeUndefined();
  fs.renameSync(join(cpus, "cpu3/later"), join(cpus, "cpu3/cache"));
  expect(read().cpus.get(3)?.l3).toBe(0);
});

test("this machine's own topology is sound", () => {
  using tree = createFixtureTree(machines.netvsc);
  const { online, cpus, nodes } = readTopology({ ...tree.host, paths: { ...tree.host.paths, sys: "/sys" } });
  expect(online.length).toBeGreaterThan(0);
  expect([...nodes.values()].flat().toSorted((a, b) => a - b)).toEqual(online);
  for (const { cpu, siblings, core } of cpus.values()) {
    expect(siblings).toContain(cpu);
    for (const sibling of siblings) expect(cpus.get(sibling)?.core).toBe(core);
  }
});
