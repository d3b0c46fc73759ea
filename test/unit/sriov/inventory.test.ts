// The inventory over trees of real machines: what is found, where netdevs are, which VFs a network driver has.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Files } from "../../../host/files.ts";
import { createTunableVfReader, isNetworkVf, readInventory, readVf } from "../../../sriov/inventory.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { largeMachine, machines, type Machine } from "../../fixtures/machines.ts";
import { deviceFolder } from "../../support/fixture-devices.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";

function describe(machine: Machine): string {
  using tree = createFixtureTree(machine);
  const { pfs, vfs } = readInventory(tree.host);
  const lines: string[] = [];
  for (const pf of pfs.values()) {
    const { address, driver, vendor, device, netdevs, numVfs, totalVfs, numaNode } = pf;
    lines.push(
      `${address} ${driver} ${vendor}:${device} [${netdevs.join()}] ${numVfs}/${totalVfs} node ${numaNode}`,
    );
    for (const vfAddress of pf.vfs) {
      const vf = vfs.get(vfAddress);
      if (vf === undefined) throw new Error(`${vfAddress} is missing`);
      const where = `[${vf.netdevs.join()}] node ${vf.numaNode} cpus ${vf.localCpus.length} irqs ${vf.irqs.length}`;
      lines.push(
        `  ${vf.index} ${vf.address} ${vf.driver} ${vf.vendor}:${vf.device} ${where} ${isNetworkVf(vf)}`,
      );
    }
  }
  return lines.join("\n");
}

test("igb: VFs at every second function, from the PF's routing id plus 128", () => {
  expect(describe(machines.igb)).toMatchInlineSnapshot(`
    "0000:01:00.0 igb 8086:10c9 [ens1f0] 7/7 node 0
      0 0000:01:10.0 igbvf 8086:10ca [ens1f0v0] node 0 cpus 8 irqs 3 true
      1 0000:01:10.2 igbvf 8086:10ca [ens1f0v1] node 0 cpus 8 irqs 3 true
      2 0000:01:10.4 igbvf 8086:10ca [ens1f0v2] node 0 cpus 8 irqs 3 true
      3 0000:01:10.6 igbvf 8086:10ca [ens1f0v3] node 0 cpus 8 irqs 3 true
      4 0000:01:11.0 igbvf 8086:10ca [ens1f0v4] node 0 cpus 8 irqs 3 true
      5 0000:01:11.2 igbvf 8086:10ca [ens1f0v5] node 0 cpus 8 irqs 3 true
      6 0000:01:11.4 igbvf 8086:10ca [ens1f0v6] node 0 cpus 8 irqs 3 true"
  `);
});

test("ixgbe: VFs carry the node of the PF", () => {
  expect(describe(machines.ixgbe)).toMatchInlineSnapshot(`
    "0000:41:00.0 ixgbe 8086:10fb [enp65s0f0] 4/63 node 1
      0 0000:41:10.0 ixgbevf 8086:10ed [enp65s0f0v0] node 1 cpus 8 irqs 3 true
      1 0000:41:10.2 ixgbevf 8086:10ed [enp65s0f0v1] node 1 cpus 8 irqs 3 true
      2 0000:41:10.4 ixgbevf 8086:10ed [enp65s0f0v2] node 1 cpus 8 irqs 3 true
      3 0000:41:10.6 ixgbevf 8086:10ed [enp65s0f0v3] node 1 cpus 8 irqs 3 true"
  `);
});

test("i40e: a PF without VFs is in the inventory", () => {
  expect(describe(machines.i40e)).toMatchInlineSnapshot(`
    "0000:3b:00.0 i40e 8086:1583 [ens3f0] 4/64 node 0
      0 0000:3b:02.0 iavf 8086:154c [ens3f0v0] node 0 cpus 8 irqs 5 true
      1 0000:3b:02.1 iavf 8086:154c [ens3f0v1] node 0 cpus 8 irqs 5 true
      2 0000:3b:02.2 iavf 8086:154c [ens3f0v2] node 0 cpus 8 irqs 5 true
      3 0000:3b:02.3 iavf 8086:154c [ens3f0v3] node 0 cpus 8 irqs 5 true
    0000:3b:00.1 i40e 8086:1583 [ens3f1] 0/64 node 0"
  `);
});

test("ice: an index of VFs by offset 8", () => {
  expect(describe(machines.ice)).toMatchInlineSnapshot(`
    "0000:b1:00.0 ice 8086:1592 [ens7f0np0] 4/256 node 1
      0 0000:b1:01.0 iavf 8086:1889 [ens7f0v0] node 1 cpus 8 irqs 17 true
      1 0000:b1:01.1 iavf 8086:1889 [ens7f0v1] node 1 cpus 8 irqs 17 true
      2 0000:b1:01.2 iavf 8086:1889 [ens7f0v2] node 1 cpus 8 irqs 17 true
      3 0000:b1:01.3 iavf 8086:1889 [ens7f0v3] node 1 cpus 8 irqs 17 true"
  `);
});

test("mlx5: a VF that says numa_node -1 has the PF's node and CPUs", () => {
  expect(describe(machines.mlx5)).toMatchInlineSnapshot(`
    "0000:d8:00.0 mlx5_core 15b3:101d [enp216s0f0np0] 4/16 node 1
      0 0000:d8:00.2 mlx5_core 15b3:101e [enp216s0f0v0] node 1 cpus 8 irqs 9 true
      1 0000:d8:00.3 mlx5_core 15b3:101e [enp216s0f0v1] node 1 cpus 8 irqs 9 true
      2 0000:d8:00.4 mlx5_core 15b3:101e [enp216s0f0v2] node 1 cpus 8 irqs 9 true
      3 0000:d8:00.5 mlx5_core 15b3:101e [enp216s0f0v3] node 1 cpus 8 irqs 9 true"
  `);
});

test("virtio: netdevs are found below the virtio device; no node when the PF says -1 too", () => {
  expect(describe(machines.virtio)).toMatchInlineSnapshot(`
    "0000:02:00.0 virtio-pci 1af4:1041 [enp2s0] 3/4 node undefined
      0 0000:02:00.1 virtio-pci 1af4:1041 [enp2s0v0] node undefined cpus 8 irqs 5 true
      1 0000:02:00.2 virtio-pci 1af4:1041 [enp2s0v1] node undefined cpus 8 irqs 5 true
      2 0000:02:00.3 virtio-pci 1af4:1041 [enp2s0v2] node undefined cpus 8 irqs 5 true"
  `);
});

test("a VF inside a pod has no netdev here and is still a network VF", () => {
  expect(describe(machines.away)).toMatchInlineSnapshot(`
    "0000:01:00.0 igb 8086:10c9 [ens1f0] 7/7 node 0
      0 0000:01:10.0 igbvf 8086:10ca [ens1f0v0] node 0 cpus 8 irqs 3 true
      1 0000:01:10.2 igbvf 8086:10ca [] node 0 cpus 8 irqs 3 true
      2 0000:01:10.4 igbvf 8086:10ca [ens1f0v2] node 0 cpus 8 irqs 3 true
      3 0000:01:10.6 igbvf 8086:10ca [ens1f0v3] node 0 cpus 8 irqs 3 true
      4 0000:01:11.0 igbvf 8086:10ca [ens1f0v4] node 0 cpus 8 irqs 3 true
      5 0000:01:11.2 igbvf 8086:10ca [ens1f0v5] node 0 cpus 8 irqs 3 true
      6 0000:01:11.4 igbvf 8086:10ca [ens1f0v6] node 0 cpus 8 irqs 3 true"
  `);
});

test("a VF of vfio-pci, and one of no driver, are no network VFs", () => {
  expect(describe(machines.vfio)).toMatchInlineSnapshot(`
    "0000:b1:00.0 ice 8086:1592 [ens7f0np0] 4/256 node 1
      0 0000:b1:01.0 vfio-pci 8086:1889 [] node 1 cpus 8 irqs 17 false
      1 0000:b1:01.1 undefined 8086:1889 [] node 1 cpus 8 irqs 0 false
      2 0000:b1:01.2 iavf 8086:1889 [ens7f0v2] node 1 cpus 8 irqs 17 true
      3 0000:b1:01.3 iavf 8086:1889 [ens7f0v3] node 1 cpus 8 irqs 17 true"
  `);
});

test("a VF that a guest sees without its PF is not in the inventory", () => {
  expect(describe(machines.netvsc)).toBe("");
});

test("a VF of another class than network is no network VF", () => {
  const [pf] = machines.igb.pfs;
  using tree = createFixtureTree({ ...machines.igb, pfs: [{ ...pf, class: "0x0b4000" }] });
  const vfs = [...readInventory(tree.host).vfs.values()];
  expect(vfs.map(isNetworkVf)).toEqual(vfs.map(() => false));
  expect(vfs).toHaveLength(7);
});

test.each(Object.entries(machines))("%s: one VF read alone is the same as in the inventory", (_, machine) => {
  using tree = createFixtureTree(machine);
  const { vfs, pfs } = readInventory(tree.host);
  for (const vf of vfs.values()) expect(readVf(tree.host, vf.address)).toEqual(vf);
  for (const pf of pfs.values()) expect(readVf(tree.host, pf.address)).toBeUndefined();
  expect(readVf(tree.host, parsePciAddress("0000:7f:00.0"))).toBeUndefined();
});

test.each(Object.entries(machines))("%s: what tuning goes by is as in the inventory", (_, machine) => {
  using tree = createFixtureTree(machine);
  const { vfs, pfs } = readInventory(tree.host);
  const read = createTunableVfReader(tree.host);
  for (const vf of vfs.values()) {
    const { address, index, pf, driver, numaNode, localCpus, classCode, inode, irqs } = vf;
    const expected = { address, index, pf, driver, numaNode, localCpus, classCode, inode, irqs };
    expect(read(address)).toEqual(expected);
  }
  for (const pf of pfs.values()) expect(read(pf.address)).toBeUndefined();
  expect(read(parsePciAddress("0000:7f:00.0"))).toBeUndefined();
});

test("kernels without sriov_offset: the index comes from the links", () => {
  using tree = createFixtureTree(machines.igb);
  const before = readInventory(tree.host);
  fs.rmSync(join(tree.root, deviceFolder("0000:01:00.0"), "sriov_offset"));
  for (const vf of before.vfs.values()) expect(readVf(tree.host, vf.address)).toEqual(vf);
});

test("interrupts are in numeric order, whatever the folder's order", () => {
  using tree = createFixtureTree(machines.igb);
  const address = parsePciAddress("0000:01:10.0");
  for (const irq of [9, 100])
    fs.writeFileSync(join(tree.root, deviceFolder(address), "msi_irqs", `${irq}`), "msix\n");
  const irqs = readVf(tree.host, address)?.irqs ?? [];
  expect(irqs[0]).toBe(9);
  expect(irqs.at(-1)).toBe(100);
  expect(irqs).toHaveLength(5);
});

test("after numvfs 0 -> N the same addresses are other VFs", () => {
  using tree = createFixtureTree(machines.igb);
  const before = readInventory(tree.host).vfs;
  tree.setNumVfs("0000:01:00.0", 0);
  expect(readInventory(tree.host).vfs.size).toBe(0);
  tree.setNumVfs("0000:01:00.0", 7);
  const after = readInventory(tree.host).vfs;
  expect([...after.keys()]).toEqual([...before.keys()]);
  for (const [address, vf] of after) expect(vf.inode).not.toBe(before.get(address)?.inode);
});

test("a change of driver and a move to a pod and back are seen", () => {
  using tree = createFixtureTree(machines.virtio);
  const vf = parsePciAddress("0000:02:00.1");
  const name = tree.moveAway(vf);
  expect(readVf(tree.host, vf)?.netdevs).toEqual([]);
  tree.bringHome(vf, "dev7");
  expect(readVf(tree.host, vf)?.netdevs).toEqual(["dev7"]);
  expect(name).toBe("enp2s0v0");
  tree.setDriver(vf, "vfio-pci");
  expect(readVf(tree.host, vf)).toMatchObject({ driver: "vfio-pci", netdevs: [] });
});

test("representors of switchdev come after the PF's own netdev", () => {
  using tree = createFixtureTree(machines.mlx5);
  const net = join(tree.root, deviceFolder("0000:d8:00.0"), "net");
  fs.mkdirSync(join(net, "a_representor"));
  fs.writeFileSync(join(net, "a_representor/phys_port_name"), "pf0vf1\n");
  const [pf] = readInventory(tree.host).pfs.values();
  expect(pf?.netdevs).toEqual(["enp216s0f0np0", "a_representor"]);
});

test("a VF that vanishes while it is read is left out, the others stay", () => {
  using tree = createFixtureTree(machines.igb);
  const gone = parsePciAddress("0000:01:10.2");
  const { files } = tree.host;
  const list: Files["list"] = (path) => (path.endsWith(gone) ? undefined : files.list(path));
  const { vfs } = readInventory({ ...tree.host, files: { ...files, list } });
  expect(vfs.has(gone)).toBe(false);
  expect(vfs.size).toBe(6);
});

test("an attribute that answers ENODEV counts as absent, any other error is thrown", () => {
  using tree = createFixtureTree(machines.igb);
  const { files } = tree.host;
  const failing =
    (errno: string): Files["readText"] =>
    (path) => {
      if (path.endsWith("0000:01:10.0/numa_node")) throw new SystemCallError("read", path, errno);
      return files.readText(path);
    };
  const read = (errno: string): unknown =>
    readInventory({ ...tree.host, files: { ...files, readText: failing(errno) } }).vfs.size;
  expect(read("ENODEV")).toBe(7);
  expect(() => read("EIO")).toThrow(/numa_node.*EIO/);
});

test("no file is read at which the kernel makes readers wait: for VFs that are being made, for the lock of all links", () => {
  using tree = createFixtureTree(machines.mlx5);
  const { files } = tree.host;
  const read: string[] = [];
  const readText: Files["readText"] = (path) => {
    read.push(path);
    return files.readText(path);
  };
  expect(readInventory({ ...tree.host, files: { ...files, readText } }).vfs.size).toBe(4);
  expect(read.filter((path) => /sriov_numvfs|phys_/.test(path))).toEqual([]);
});

test("an empty tree is an empty inventory", () => {
  using tree = createFixtureTree(machines.netvsc);
  fs.rmSync(join(tree.root, "sys"), { recursive: true });
  expect(readInventory(tree.host)).toEqual({ pfs: new Map(), vfs: new Map() });
});

test("files read grow with the VFs and not with their square", () => {
  const few = countCalls(8);
  const many = countCalls(24);
  expect((many - few) / 16).toBeLessThan(15);
});

function countCalls(vfs: number): number {
  using tree = createFixtureTree(largeMachine(2, vfs / 2));
  let calls = 0;
  const counted = Object.fromEntries(
    Object.entries(tree.host.files).map(([name, call]) => [
      name,
      (...args: readonly unknown[]): unknown => {
        calls += 1;
        return Reflect.apply(call, tree.host.files, args);
      },
    ]),
  ) as unknown as Files;
  expect(readInventory({ ...tree.host, files: counted }).vfs.size).toBe(vfs);
  return calls;
}
